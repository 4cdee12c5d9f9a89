import { resolve as resolvePath } from 'node:path'
import { caseRequestOf, VARIABLES } from '../adapters/agent-case/index.ts'
import { type ModelPair, printPair } from '../contract/model.ts'
import type { Configuration } from '../engine/index.ts'
import type { AdmissionSource } from '../gates/admission/index.ts'
import { entryOf } from '../gates/catalog/index.ts'
import { usage } from './places.ts'

/** What a caller says about how a task is to be run, beside the task. */
export interface AskedRun {
  readonly profile: string | undefined
  readonly backend: string | undefined
  readonly admissionFile: string | undefined
  readonly taskProfile: string
}

export interface ChosenRun {
  readonly profile: string
  /** The pair that the environment asks for; null for an agent that is asked by its profile alone. */
  readonly asked: ModelPair | null
  /** The one record that may admit the run; null takes those beside the configuration. */
  readonly admissionFile: string | null
  /** Set if a record had to be named and none was: then nothing is read anywhere. */
  readonly noRecord: AdmissionSource | null
}

/** Which profile a run uses, and who asks for its model. Throws `usage` for what contradicts itself; refuses nothing else, the gates do. */
export function chooseRun(configuration: Configuration, environment: Readonly<Record<string, string | undefined>>, cwd: string, run: AskedRun): ChosenRun {
  const request = caseRequestOf(environment)
  const profile = run.backend === undefined ? (run.profile ?? run.taskProfile) : profileOfBackend(configuration, run, run.backend, printPair(request.asked))
  const given = run.admissionFile === undefined ? null : resolvePath(cwd, run.admissionFile)
  if (entryOf(configuration.profiles, profile)?.agent !== 'case') return { profile, asked: null, admissionFile: given, noRecord: null }
  // Two places that name the authority would be one too many.
  if (given !== null) throw usage(`a run of Case by the record in ${VARIABLES.admissionFile}`, '--admission', `Leave --admission out, and set ${VARIABLES.admissionFile} to the record.`)
  if (request.admissionFile !== undefined) return { profile, asked: request.asked, admissionFile: resolvePath(cwd, request.admissionFile), noRecord: null }
  return { profile, asked: request.asked, admissionFile: null, noRecord: { kind: 'file', path: `${VARIABLES.admissionFile} (not set)`, problem: null, files: [] } }
}

function profileOfBackend({ profiles }: Configuration, { profile, taskProfile }: AskedRun, backend: string, askedPair: string): string {
  const names = Object.keys(profiles).filter((name) => profiles[name]?.agent === backend)
  const [first] = names
  if (first === undefined) throw usage(`a profile with agent: ${backend}`, 'none in portcullis.yaml', 'Add one, or name another backend.')
  if (profile !== undefined) {
    if (names.includes(profile)) return profile
    throw usage(`profile ${profile} with agent: ${backend}`, `agent: ${entryOf(profiles, profile)?.agent ?? 'no such profile'}`, `Name one of ${names.join(', ')}.`)
  }
  const fitting = backend === 'case' ? names.filter((name) => profiles[name]?.model === askedPair) : names
  if (fitting.includes(taskProfile)) return taskProfile
  if (fitting.length > 1) throw usage(`one profile with agent: ${backend}`, fitting.join(', '), 'Name one with --profile.')
  // Where none fits, any of them will do: what it uses is not what was asked for, so that the admission gate refuses it and says so.
  return fitting[0] ?? (names.includes(taskProfile) ? taskProfile : first)
}
