export { createApprovedImages } from './approved-images.ts'
