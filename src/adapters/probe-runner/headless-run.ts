import { mkdirSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { milliseconds, printMilliseconds } from '../../contract/units.ts'
import type { HeadlessRunPayload } from '../../gates/acceptance/index.ts'
import type { HeadlessRunProbe, ProbeDefinition } from '../../gates/catalog/index.ts'
import { ProcessError, type ProcessExit, type RunningProcess, startProcess } from '../process/index.ts'
import type { ProbeFinding, ProbeKindRunner, ProbePlace } from './kind.ts'

/** What a probe always sees of our environment, where we have it. */
const BASIC_NAMES = ['PATH', 'LANG'] as const

/** An expression is matched against this much of each end of the output. */
const MATCHED_BYTES = 65_536

/** An expression that takes longer is not going to end. */
const MATCH_LIMIT_MS = 1_000

/** A command in the workspace: passes only if it ends as expected within its limit (ACC-42). */
export const headlessRun: ProbeKindRunner = {
  async run(definition, place) {
    const probe = headless(definition)
    const { environment, names, withheld } = environmentOf(probe, place)
    const blank = { ...blankPayload(probe, place.withheld.redact), environment: names, environment_withheld: withheld }
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
    const { exit, ended } = await awaitEnd(running, milliseconds(probe.timeout), place.signal)
    const payload: HeadlessRunPayload = {
      ...blank,
      exit_code: exit.code,
      signal: exit.signal,
      leaked: exit.leaked,
      stdout: place.withheld.preview(exit.stdout),
      stderr: place.withheld.preview(exit.stderr),
    }
    if (ended === 'cancelled') return { status: 'cancelled', summary: 'was cancelled before it ended', payload }
    if (ended === 'limit') return { status: 'timed_out', summary: `did not end within ${probe.timeout}`, payload }
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

/** Exactly the variables that are listed, and of those none that is or holds a credential. */
function environmentOf(probe: HeadlessRunProbe, place: ProbePlace): { environment: Record<string, string>; names: string[]; withheld: string[] } {
  const environment: Record<string, string> = {}
  const withheld: string[] = []
  for (const name of [...BASIC_NAMES, ...(probe.environment ?? [])]) {
    const value = name === 'PATH' ? absolutePath(place.environment[name]) : place.environment[name]
    if (value === undefined) continue
    if (place.withheld.isWithheld(name, value)) withheld.push(place.withheld.redact(name).slice(0, 200))
    else environment[name] = value
  }
  for (const [name, folder] of [['HOME', 'home'], ['TMPDIR', 'temporary']] as const) {
    const path = join(place.scratch, folder)
    mkdirSync(path, { mode: 0o700 })
    environment[name] = path
  }
  return { environment, names: Object.keys(environment).sort(), withheld: withheld.sort() }
}

/** A relative folder in PATH is looked for in the workspace, where the agent may have put a `node` of its own. */
const absolutePath = (path: string | undefined): string | undefined => path?.split(delimiter).filter(isAbsolute).join(delimiter)

type Ended = 'by itself' | 'limit' | 'cancelled'

/** Waits for the end; at the limit, or when cancelled, ends the whole of it. Which of the two came first is kept (ACC-69). */
async function awaitEnd(running: RunningProcess, limitMs: number, signal: AbortSignal): Promise<{ exit: ProcessExit; ended: Ended }> {
  let ended: Ended = 'by itself'
  const stopped = Promise.withResolvers<void>()
  const end = (why: Ended): void => {
    if (ended !== 'by itself') return
    ended = why
    running.stop(0).then(stopped.resolve, stopped.reject)
  }
  const onAbort = (): void => end('cancelled')
  const timer = setTimeout(() => end('limit'), limitMs)
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  try {
    const exit = await Promise.race([running.exited, stopped.promise.then(() => running.exited)])
    return { exit, ended }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
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
  const matched = matches(expect.stdout, Buffer.concat([exit.stdout.head, exit.stdout.tail]).toString('utf8'))
  if (matched === undefined) return error('expression not matched in time', `exited ${exit.code}, but matching its output did not end within ${MATCH_LIMIT_MS} ms`)
  if (matched) return { status: 'passed', summary: `${passed}, with the expected output`, payload: { ...payload, stdout_matched: true } }
  const part = exit.stdout.truncated ? `, of which the first and last ${exit.stdout.head.length} bytes were looked at` : ''
  return { status: 'failed', summary: `exited ${exit.code}, without the expected output${part}`, payload: { ...payload, stdout_matched: false } }
}

/** Undefined if it cannot be said in time. In a context of its own, because only there an expression can be interrupted. */
function matches(source: string, text: string): boolean | undefined {
  try {
    return runInContext('new RegExp(source, "m").test(text)', createContext({ source, text }), { timeout: MATCH_LIMIT_MS }) === true
  } catch (error) {
    // Made in the other context, so it is no instance of our Error.
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined
    throw error
  }
}
