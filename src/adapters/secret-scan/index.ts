export { createSecretScanner, createValueScanner } from './scanner.ts'
export { ScanIncomplete } from './incomplete.ts'
export { needlesOf } from './needles.ts'
