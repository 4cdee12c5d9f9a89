export { importFile, type ImportedFile, writeNew } from './import-file.ts'
