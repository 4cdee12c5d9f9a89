import { dirname, join, resolve as resolvePath } from 'node:path'
import { type EvidencePlace, placeAt, readText, runsIn } from '../adapters/evidence-files/index.ts'
import { readPublicKey, trustedKeys } from '../adapters/keys/index.ts'
import { openRunDirectory, runDirectoryAt } from '../adapters/run-directory/index.ts'
import { keysBeside, LedgerOnDemand, type Store } from '../adapters/store-sqlite/index.ts'
import { PortcullisError } from '../contract/errors.ts'
import { RunId } from '../contract/ids.ts'
import { exitCodeOf } from '../contract/reasons.ts'
import { auditLedger, BUNDLE_FILE, type Checkpoint, isFinal, parseNote, type Problem, readHistory, type RunSummary, type Trust, verifyBundle, type VerificationKey, verifyFiles, verifyOneRun, verifyRunOf } from '../engine/index.ts'
import { anchorsIn, notesOf, someNotes } from './anchor.ts'
import { type AppOptions, stateDirectoryOf, usage } from './places.ts'
import { databaseUrlOf, ledgerIn } from './store.ts'

export interface VerifyRequest {
  /** The id of a run, or the path of a ledger, a state directory, the directory of a run or a bundle; undefined is the whole ledger of the state directory. */
  readonly what: string | undefined
  /** Files with the public keys to believe; none believes those that are kept beside the ledger. */
  readonly keys: readonly string[]
  /** Files with checkpoints that were kept elsewhere. */
  readonly anchors: readonly string[]
  /** Git repositories in whose notes they were kept. */
  readonly anchorNotes: readonly string[]
  /** Of a whole ledger only the rows, and not each run by itself. */
  readonly rowsOnly: boolean
  /** Whether a run that was not accepted counts as refused, however well it verifies. */
  readonly accepted: boolean
}

export interface VerifyAnswer {
  readonly what: 'ledger' | 'run' | 'directory' | 'bundle'
  /** Null for a whole ledger, and where nothing can be believed of a bundle. */
  readonly runId: string | null
  readonly state: string | null
  /** True only for a run that was accepted, and of which everything verifies. */
  readonly accepted: boolean
  readonly runs: number
  readonly rows: number
  readonly verdicts: number
  readonly files: number
  /** The signed checkpoint that the rows lead to. */
  readonly checkpoint: { readonly size: number; readonly at: string } | null
  readonly problems: readonly Problem[]
  readonly remedy: string
  readonly exitCode: number
}

type Counted = Omit<VerifyAnswer, 'accepted' | 'remedy' | 'exitCode'>

/** Checks evidence in this process, from what is stored and nothing else. Throws `key_missing` where no key is to be believed, and `run_not_found`. */
export async function verify(options: AppOptions, request: VerifyRequest): Promise<VerifyAnswer> {
  const counted = await verifyPlace(options, request)
  const accepted = counted.problems.length === 0 && counted.state === 'accepted'
  const unfinished = counted.problems.length > 0 && counted.problems.every((problem) => problem.code === 'run_unfinished')
  const refused = counted.problems.length > 0 || (request.accepted && !accepted)
  return { ...counted, accepted, remedy: remedyOf(counted, unfinished), exitCode: refused ? exitCodeOf('ledger_tampered', false) : 0 }
}

function remedyOf({ what, problems }: Counted, unfinished: boolean): string {
  if (problems.length === 0) return 'Nothing has to be done. A run that was not accepted counts for nothing, however well it verifies.'
  if (problems.every((problem) => problem.code === 'format_other')) return 'Nothing was found changed, and nothing of it counts here: verify it with the version that wrote it.'
  if (unfinished) return 'Nothing of this run counts. If it does not run any more, it was interrupted: run the task again.'
  if (problems.every((problem) => problem.code === 'anchor_unproven')) return 'Compare with an anchor of this ledger, or export the bundle again: npx portcullis bundle <run> --anchor <file>'
  return what === 'ledger' ? 'Trust nothing of this ledger. Find out who could write to it, and go on with a new one in another state directory.' : 'Trust nothing of this run. Find out who could write to the ledger or to its directory, and run the task again.'
}

async function verifyPlace(options: AppOptions, request: VerifyRequest): Promise<Counted> {
  const { what } = request
  if (what !== undefined && RunId.safeParse(what).success) return verifyRunIn(options, request, what)
  if (what === undefined && databaseUrlOf(options) !== undefined) return verifyAll(options, request)
  const place: EvidencePlace = what === undefined ? { kind: 'ledger', path: join(stateDirectoryOf(options), 'ledger.db') } : placeAt(resolvePath(options.cwd, what))
  switch (place.kind) {
    case 'ledger':
      refuseAccepted(request)
      return withLedger(place.path, async (ledger) => verifyLedger(ledger, dirname(place.path), await trustOf(options, request, () => keysBeside(place.path)), request.rowsOnly))
    case 'directory':
      return verifyDirectory(place.path, await trustOf(options, request, () => keysNear(options, place.path)))
    case 'bundle':
      return verifyFile(readText(place.path, 'to verify'), await trustOf(options, request, () => keysNear(options, dirname(place.path))))
  }
}

function refuseAccepted({ accepted }: VerifyRequest): void {
  if (accepted) throw usage('--accepted for one run', 'a whole ledger', 'Name the run: npx portcullis verify <run> --accepted')
}

/** The ledger of the environment, with the runs and keys of the state directory. */
async function verifyAll(options: AppOptions, request: VerifyRequest): Promise<Counted> {
  refuseAccepted(request)
  const stateDirectory = stateDirectoryOf(options)
  const onDemand = ledgerIn(options, stateDirectory)
  try {
    const ledger = await onDemand.openExisting()
    if (ledger === undefined) throw new PortcullisError('run_not_found', { asked: 'the ledger of the environment', found: 'none', remedy: 'Check the address.' })
    return await verifyLedger(ledger, stateDirectory, await trustOf(options, request, () => join(stateDirectory, 'keys')), request.rowsOnly)
  } finally {
    await onDemand.close()
  }
}

/** A directory of a run stands in the state directory that made it, unless it was taken elsewhere. */
const keysNear = (options: AppOptions, path: string): string => (trustedKeys(join(path, '../../keys')).length > 0 ? join(path, '../../keys') : join(stateDirectoryOf(options), 'keys'))

async function trustOf(options: AppOptions, { keys, anchors, anchorNotes }: VerifyRequest, directoryOf: () => string): Promise<Trust> {
  const named = keys.map((path) => readPublicKey(resolvePath(options.cwd, path)))
  const trusted: readonly VerificationKey[] = named.length > 0 ? named : trustedKeys(directoryOf())
  if (trusted.length === 0) throw new PortcullisError('key_missing', { asked: 'a public key to verify with', found: `none in ${directoryOf()}`, remedy: 'Name one that you were given by somebody you trust: --key portcullis.pub.pem' })
  const noted: string[] = []
  for (const repository of anchorNotes) noted.push(...someNotes(await notesOf(options, repository), `the notes of ${repository}`))
  return { keys: trusted, anchors: [...anchors.flatMap((path) => anchorsIn(resolvePath(options.cwd, path))), ...noted] }
}

async function withLedger<Result>(path: string, use: (ledger: Store) => Promise<Result>): Promise<Result> {
  const onDemand = new LedgerOnDemand(path)
  try {
    const ledger = await onDemand.openExisting()
    if (ledger === undefined) throw new PortcullisError('run_not_found', { asked: `the ledger ${path}`, found: 'no such file', remedy: 'Name its directory with --state, or the configuration beside it with -c.' })
    return await use(ledger)
  } finally {
    await onDemand.close()
  }
}

async function verifyRunIn(options: AppOptions, request: VerifyRequest, runId: string): Promise<Counted> {
  const stateDirectory = stateDirectoryOf(options)
  const onDemand = ledgerIn(options, stateDirectory)
  try {
    const ledger = await onDemand.openFor(runId)
    const { history } = await readHistory({ ledger }, runId)
    const verified = await verifyOneRun(ledger, history, openRunDirectory(stateDirectory, runId), await trustOf(options, request, () => join(stateDirectory, 'keys')))
    return { what: 'run', runId, state: history.run.state, runs: 1, ...verified, checkpoint: shown(parseNote((await ledger.head()).note)?.checkpoint) }
  } finally {
    await onDemand.close()
  }
}

const shown = (checkpoint: Checkpoint | undefined): Counted['checkpoint'] => (checkpoint === undefined ? null : { size: checkpoint.size, at: checkpoint.at })

async function verifyLedger(ledger: Store, stateDirectory: string, trust: Trust, rowsOnly: boolean): Promise<Counted> {
  const audit = await ledger.snapshot((view) => auditLedger(view, trust))
  const runs = await ledger.list()
  const problems: Problem[] = [...audit.problems, ...numberGaps(runs), ...strangers(stateDirectory, runs)]
  let verdicts = 0
  let files = 0
  for (const { runId } of rowsOnly ? [] : runs) {
    const { history } = await readHistory({ ledger }, runId)
    const verified = verifyRunOf(history, openRunDirectory(stateDirectory, runId), trust)
    verdicts += verified.verdicts
    files += verified.files
    // A run that goes on is no attack on the ledger.
    problems.push(...verified.problems.filter(({ code }) => code !== 'run_unfinished' || isFinal(history.run.state)).map((problem) => ({ ...problem, where: `${problem.where} of ${runId}` })))
  }
  return { what: 'ledger', runId: null, state: null, runs: runs.length, rows: audit.rows, verdicts, files, checkpoint: shown(audit.head), problems }
}

const NO_DIRECTORY: Parameters<typeof verifyRunOf>[1] = { read: () => undefined, files: () => [] }

/** What is wrong with the rows of a ledger and with what they say of each run, wherever the directories of the runs are. A run of another form is judged by nobody here. */
export async function ledgerProblems(ledger: Store, trust: Trust): Promise<readonly Problem[]> {
  const audit = await ledger.snapshot((view) => auditLedger(view, trust))
  const runs = await ledger.list()
  const problems: Problem[] = [...audit.problems, ...numberGaps(runs)]
  for (const { runId } of runs) {
    const { history } = await readHistory({ ledger }, runId)
    const { problems: found } = verifyRunOf(history, NO_DIRECTORY, trust)
    problems.push(...found.filter(({ code }) => !code.startsWith('file_') && code !== 'format_other' && (code !== 'run_unfinished' || isFinal(history.run.state))).map((problem) => ({ ...problem, where: `${problem.where} of ${runId}` })))
  }
  return problems
}

/** Runs are numbered without gaps; one that left no row is missed by its number alone. */
function numberGaps(runs: readonly RunSummary[]): Problem[] {
  const numbers = new Set(runs.map((run) => run.number))
  const last = Math.max(0, ...numbers)
  return Array.from({ length: last }, (_each, index) => index + 1).flatMap((number): Problem[] => (numbers.has(number) ? [] : [{ code: 'row_removed', where: `run number ${number}`, found: 'no such run' }]))
}

/** A run is in the ledger before its directory is made, so a directory without a run outlived an older ledger. */
function strangers(stateDirectory: string, runs: readonly RunSummary[]): Problem[] {
  const known = new Set(runs.map((run) => run.runId))
  return runsIn(stateDirectory).filter((name) => RunId.safeParse(name).success && !known.has(name)).map((name) => ({ code: 'ledger_rolled_back', where: `runs/${name}`, found: 'the directory of a run that the ledger does not hold' }))
}

function verifyDirectory(path: string, trust: Trust): Counted {
  const directory = runDirectoryAt(path)
  const bundle = directory.read(BUNDLE_FILE)
  if (bundle === undefined) throw new PortcullisError('file_missing', { asked: `the bundle of the run in ${path}`, found: `no ${BUNDLE_FILE}`, remedy: 'Without it nothing here can be believed. Export it where the ledger is: npx portcullis bundle <run>' })
  const { problems, told, checkpoint } = verifyBundle(bundle.toString('utf8'), trust)
  const files = told === undefined || problems.length > 0 ? { problems: [], checked: 0 } : verifyFiles(told.history, told.read, directory)
  return { what: 'directory', runId: told?.history.run.runId ?? null, state: told?.history.run.state ?? null, runs: 1, rows: told?.history.entries.length ?? 0, verdicts: told?.read.verdicts.length ?? 0, files: files.checked, checkpoint: shown(checkpoint), problems: [...problems, ...files.problems] }
}

function verifyFile(text: string, trust: Trust): Counted {
  const { problems, told, checkpoint } = verifyBundle(text, trust)
  return { what: 'bundle', runId: told?.history.run.runId ?? null, state: told?.history.run.state ?? null, runs: 1, rows: told?.history.entries.length ?? 0, verdicts: told?.read.verdicts.length ?? 0, files: 0, checkpoint: shown(checkpoint), problems }
}
