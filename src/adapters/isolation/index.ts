export { createIsolation, type Isolation, type IsolationOptions, type Seal } from './create-isolation.ts'
