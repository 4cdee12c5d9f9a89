export { createSecretScanner } from './scanner.ts'
export { needlesOf } from './needles.ts'
