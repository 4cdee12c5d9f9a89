export type { ProbeFinding, ProbeKindRunner, ProbePlace } from './kind.ts'
export { createProbeRunner, type ProbeKinds, probeRunnerOf, type ProbeRunnerOptions, RUNNER_VERSION } from './probe-runner.ts'
export { createWithheld, type Withheld } from './withheld.ts'
