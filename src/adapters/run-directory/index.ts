export { createRunDirectory, openRunDirectory, runDirectoryAt } from './run-directory.ts'
