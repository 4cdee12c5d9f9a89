export { onlyWhile, createCredentials, type Credentials } from './create-credentials.ts'
export { describeSource } from './read-source.ts'
