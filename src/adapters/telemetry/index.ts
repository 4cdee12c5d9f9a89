export { type Loss, LOSSES, TelemetryFollower, type TelemetryParts } from './follower.ts'
