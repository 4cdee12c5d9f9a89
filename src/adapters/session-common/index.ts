export { clip, lineReader, parseJson, parseRecord } from './lines.ts'
export { RawKeeper } from './raw-keeper.ts'
export { type SessionDriver, SessionCore, type Submitted, type TurnEnding } from './session-core.ts'
export { type HeldMode, type LiveLaunch, planLive, type Surrounded } from './plan.ts'
