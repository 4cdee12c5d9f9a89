export { type EvidencePlace, placeAt, readText, runsIn } from './places.ts'
export { appendText, writeText } from './write.ts'
