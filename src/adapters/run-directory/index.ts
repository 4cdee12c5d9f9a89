export { createRunDirectory, openRunDirectory } from './run-directory.ts'
