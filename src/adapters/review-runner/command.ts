import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import { milliseconds } from '../../contract/units.ts'
import type { ReviewRequest } from '../../gates/acceptance/index.ts'
import type { CommandReviewer } from '../../gates/catalog/index.ts'
import { type Withheld } from '../probe-runner/index.ts'
import { ProcessError, type ProcessExit, startProcess } from '../process/index.ts'
import { copyWorkspace } from '../workspace/index.ts'
import { type Parsed, parseAnswer, tellsOfSandboxFailure } from './parse.ts'
import { presentFiles } from './source.ts'

/** Names the file with the request, for the program. */
export const REQUEST_VARIABLE = 'PORTCULLIS_REVIEW'

const ANSWER_BYTES = 1_048_576
const BASIC_NAMES = ['PATH', 'LANG'] as const

/** Asks a program: it runs in a copy of the work that is thrown away, with no credential, and its group ends with it. */
export async function askCommand(definition: CommandReviewer, request: ReviewRequest, scratch: string, withheld: Withheld): Promise<Parsed> {
  if (definition.command.some(withheld.holdsSecret)) return failure('credential_in_command', 'it was not started: its command holds a credential')
  const workspace = join(scratch, 'workspace')
  await copyWorkspace(request.workspace, workspace)
  const environment = await environmentOf(definition, request, scratch, withheld)
  await writeRequest(request, scratch, workspace)
  const [program = '', ...rest] = definition.command
  try {
    const running = await startProcess({ argv: [program, ...rest], cwd: workspace, env: { ...environment, [REQUEST_VARIABLE]: join(scratch, 'request.json') }, stdin: 'ignore', keep: { headBytes: ANSWER_BYTES, tailBytes: 0 } })
    return await judgeEnd(definition, running, request.signal, withheld)
  } catch (error) {
    if (!(error instanceof ProcessError)) throw error
    return failure('not_started', `it could not be started: ${error.code}`)
  }
}

async function judgeEnd(definition: CommandReviewer, running: Awaited<ReturnType<typeof startProcess>>, signal: AbortSignal, withheld: Withheld): Promise<Parsed> {
  let ended: 'limit' | 'cancelled' | undefined
  const stop = (why: 'limit' | 'cancelled'): void => {
    ended ??= why
    void running.stop(0).catch(() => undefined)
  }
  const onAbort = (): void => stop('cancelled')
  const timer = setTimeout(() => stop('limit'), milliseconds(definition.timeout))
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  try {
    const exit = await running.exited
    if (ended === 'limit') return failure('timed_out', `it did not end within ${definition.timeout}`)
    if (ended === 'cancelled') return failure('cancelled', 'it was cancelled before it ended')
    return judgeOutput(exit, withheld)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

function judgeOutput(exit: ProcessExit, withheld: Withheld): Parsed {
  // Looked for first: a reviewer whose commands all failed may well end with 0 and an approval.
  if (tellsOfSandboxFailure(exit.stderr.head.toString('utf8'))) return failure('sandbox_failed', 'its sandbox could not be set up, as it printed')
  if (exit.signal !== null) return failure('ended_by_signal', `it was ended by ${exit.signal}`)
  if (exit.code !== 0) return failure('exit_code', `it exited ${exit.code ?? 'without a code'}`)
  if (exit.readFailure !== null || exit.stdout.truncated) return failure('answer_too_long', `its answer could not be read as a whole, of ${exit.stdout.bytes} bytes`)
  if (!exit.stdout.utf8) return failure('answer_not_utf8', 'its answer is not UTF-8')
  if (exit.stdout.bytes === 0) return failure('no_answer', 'it printed nothing')
  return parseAnswer(exit.stdout.head.toString('utf8'), (text) => withheld.redact(text))
}

const failure = (code: string, text: string): Parsed => ({ failure: { code, text } })

async function environmentOf(definition: CommandReviewer, request: ReviewRequest, scratch: string, withheld: Withheld): Promise<Record<string, string>> {
  const environment: Record<string, string> = {}
  for (const name of [...BASIC_NAMES, ...(definition.environment ?? [])]) {
    // A relative folder would be looked for in the work.
    const value = name === 'PATH' ? request.environment[name]?.split(delimiter).filter(isAbsolute).join(delimiter) : request.environment[name]
    if (value !== undefined && !withheld.isWithheld(name, value)) environment[name] = value
  }
  for (const [name, folder] of [['HOME', 'home'], ['TMPDIR', 'temporary']] as const) {
    environment[name] = join(scratch, folder)
    await mkdir(environment[name], { mode: 0o700 })
  }
  return environment
}

/** What the program is asked, as a file: nothing of it stands in its argv. */
async function writeRequest(request: ReviewRequest, scratch: string, workspace: string): Promise<void> {
  const diff = join(scratch, 'difference.patch')
  await writeFile(diff, request.diff.bytes, { mode: 0o600 })
  const { head, base, task, items, prior, answers, name } = request
  const asked = { schema_version: 1, reviewer: name, head, base, workspace, diff: { path: diff, whole: request.diff.whole }, files: [...request.files], source_files: await presentFiles(workspace, request.files), task, acceptance: items, prior_findings: prior ?? 'no prior review given', answers }
  await writeFile(join(scratch, 'request.json'), JSON.stringify(asked, null, 2), { mode: 0o600 })
}
