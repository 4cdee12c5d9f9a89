export { type DatabaseAddress, databaseAddress, holdsPassword } from './connection.ts'
export { fillPostgres, freezePostgres } from './copy.ts'
