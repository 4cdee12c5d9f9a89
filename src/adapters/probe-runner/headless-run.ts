import { milliseconds, printMilliseconds } from '../../contract/units.ts'
import type { HeadlessRunPayload } from '../../gates/acceptance/index.ts'
import type { HeadlessRunProbe, ProbeDefinition } from '../../gates/catalog/index.ts'
import { ProcessError, type ProcessExit, type RunningProcess, startProcess } from '../process/index.ts'
import { environmentOf } from './environment.ts'
import type { ProbeFinding, ProbeKindRunner } from './kind.ts'
import { exitWithin, startLimit } from './limit.ts'
import { MATCH_LIMIT_MS, matchesInTime } from './matching.ts'

/** An expression is matched against this much of each end of the output. */
const MATCHED_BYTES = 65_536

/** A command in the workspace: passes only if it ends as expected within its limit (ACC-42). */
export const headlessRun: ProbeKindRunner = {
  async run(definition, place) {
    const probe = headless(definition)
    const { environment, names, withheld } = environmentOf(probe.environment, place)
    const blank = { ...blankPayload(probe, place.withheld.redact), environment: [...names], environment_withheld: [...withheld] }
    const error = (cause: string, summary: string): ProbeFinding => ({ status: 'error', summary, payload: { ...blank, error: cause } })
    if (probe.command.some(place.withheld.holdsSecret)) return error('credential in command', 'was not started: its command holds a credential')
    const keptBytes = place.withheld.keptBytes() + (probe.expect.stdout === undefined ? 0 : MATCHED_BYTES)
    let running: RunningProcess
    try {
      const [program = '', ...rest] = probe.command
      running = await startProcess({ argv: [program, ...rest], cwd: place.workspace, env: environment, stdin: 'ignore', keep: { headBytes: keptBytes, tailBytes: keptBytes } })
    } catch (fault) {
      if (!(fault instanceof ProcessError)) throw fault
      return error(fault.code, `could not be started: ${fault.code}`)
    }
    const limit = startLimit(milliseconds(probe.timeout), place.signal)
    const exit = await exitWithin(running, limit).finally(limit.close)
    const payload: HeadlessRunPayload = {
      ...blank,
      exit_code: exit.code,
      signal: exit.signal,
      leaked: exit.leaked,
      stdout: place.withheld.preview(exit.stdout),
      stderr: place.withheld.preview(exit.stderr),
    }
    if (limit.ended() === 'cancelled') return { status: 'cancelled', summary: 'was cancelled before it ended', payload }
    if (limit.ended() === 'limit') return { status: 'timed_out', summary: `did not end within ${probe.timeout}`, payload }
    return judge(probe, exit, payload)
  },
  notBegun: (definition, cause) => ({ ...blankPayload(headless(definition), (text) => text), expected: { exit_code: headless(definition).expect.exitCode, stdout: null }, error: cause }),
}

function headless(definition: ProbeDefinition): HeadlessRunProbe {
  if (definition.kind !== 'headless_run') throw new TypeError(`Expected a definition of headless_run, got ${definition.kind}`)
  return definition
}

function blankPayload({ expect }: HeadlessRunProbe, redact: (text: string) => string): HeadlessRunPayload {
  return {
    expected: { exit_code: expect.exitCode, stdout: expect.stdout === undefined ? null : redact(expect.stdout) },
    exit_code: null,
    signal: null,
    stdout_matched: null,
    error: null,
    leaked: false,
    stdout: null,
    stderr: null,
    environment: [],
    environment_withheld: [],
  }
}

function judge(probe: HeadlessRunProbe, exit: ProcessExit, payload: HeadlessRunPayload): ProbeFinding {
  const error = (cause: string, summary: string): ProbeFinding => ({ status: 'error', summary, payload: { ...payload, error: cause } })
  if (exit.readFailure !== null) return error('output not read', 'ended, but its output could not be read')
  if (!exit.stdout.utf8 || !exit.stderr.utf8) return error('output not UTF-8', 'printed something that is not UTF-8')
  const { expect } = probe
  const took = printMilliseconds(exit.durationMs)
  if (exit.code === null) return { status: 'failed', summary: `was ended by ${exit.signal ?? 'a signal'} after ${took}`, payload }
  if (exit.code !== expect.exitCode) return { status: 'failed', summary: `exited ${exit.code} where ${expect.exitCode} was expected, after ${took}`, payload }
  const passed = `exited ${exit.code} in ${took}`
  if (expect.stdout === undefined) return { status: 'passed', summary: passed, payload }
  const matched = matchesInTime(expect.stdout, Buffer.concat([exit.stdout.head, exit.stdout.tail]).toString('utf8'))
  if (matched === undefined) return error('expression not matched in time', `exited ${exit.code}, but matching its output did not end within ${MATCH_LIMIT_MS} ms`)
  if (matched) return { status: 'passed', summary: `${passed}, with the expected output`, payload: { ...payload, stdout_matched: true } }
  const part = exit.stdout.truncated ? `, of which the first and last ${exit.stdout.head.length} bytes were looked at` : ''
  return { status: 'failed', summary: `exited ${exit.code}, without the expected output${part}`, payload: { ...payload, stdout_matched: false } }
}
