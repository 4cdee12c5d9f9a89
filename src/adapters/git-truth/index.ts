export { createDeliveryChecker } from './git-truth.ts'
