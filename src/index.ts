// The library surface. Any export added here becomes public API: named exports only.
export { type App, type AppOptions, openApp, type ProbeAnswer, type ProbedProfile, type ProbeRequest, type Problem, type Report, type ReportAnswer, resolve, type ResolveAnswer, type RunAnswer, type RunRequest, type RunSummary, type RunWatcher, startProvider, type VerifyAnswer, type VerifyRequest } from './app.ts'
export { ERROR_TABLE, type ErrorCode, PortcullisError } from './contract/errors.ts'
export type { Finding, Refusal } from './contract/gate.ts'
export { GATE_QUESTIONS, type GateName, LIFECYCLE } from './contract/lifecycle.ts'
export { exitCodeOf, type Reason, REASON_TABLE } from './contract/reasons.ts'
export { permits, Subject, Verdict } from './contract/verdict.ts'
export { type Clock, systemClock } from './contract/clock.ts'
export { VERSION } from './version.ts'
