export { createSecretScanner } from './scanner.ts'
