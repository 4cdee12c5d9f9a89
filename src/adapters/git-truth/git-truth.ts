import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import { sha256 } from '../../contract/canonical.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { milliseconds } from '../../contract/units.ts'
import type { DeliveryChecker, DeliveryRequest } from '../../engine/index.ts'
import { DeliveredRepository, type DeliveryClaim, HeadBefore } from '../../gates/acceptance/index.ts'
import { createWithheld } from '../probe-runner/index.ts'
import { ProcessError, startProcess } from '../process/index.ts'
import { type GitOptions, reaching, tryGit } from '../workspace/index.ts'

const TARGET = 'refs/portcullis/target'
const OTHERS = 'refs/portcullis/others'
const FILE_BYTES = 64 * 1_048_576
const OUTPUT_BYTES = 262_144

export interface DeliveryOptions extends GitOptions {
  readonly secrets: () => readonly string[]
}

/** Looks at what was delivered with our own git, in a store of our own: nothing of the repositories is written or run but the tests. */
export function createDeliveryChecker(options: DeliveryOptions): DeliveryChecker {
  return { check: (request) => check(options, request), head: (place) => headOf(options, place) }
}

/** By which protocols a remote may be asked. Never by a program that its address names. */
const REMOTE = reaching('file', 'git', 'http', 'https', 'ssh')

async function headOf(options: DeliveryOptions, { remote, branch }: Pick<DeliveryClaim, 'remote' | 'branch'>): Promise<HeadBefore> {
  // The directory says nothing: no repository is looked for above the root.
  const asked = await tryGit(options, { arguments: ['ls-remote', '--quiet', '--refs', '--', remote, `refs/heads/${branch}`], cwd: '/', environment: REMOTE })
  if (asked.code !== 0) return 'unknown'
  const lines = asked.stdout.head.toString('utf8').split('\n').filter((line) => line !== '')
  if (lines.length === 0) return 'none'
  const [sha = '', name] = lines[0]?.split('\t') ?? []
  const head = HeadBefore.safeParse(sha)
  // A pattern matches the ends of names, so the one that is meant is looked for.
  return lines.length === 1 && name === `refs/heads/${branch}` && head.success ? head.data : 'unknown'
}

async function check(options: DeliveryOptions, request: DeliveryRequest): Promise<DeliveredRepository> {
  const { claim, into } = request
  await rm(into, { recursive: true, force: true })
  await mkdir(into, { recursive: true, mode: 0o700 })
  const store = join(into, 'store.git')
  const say = (...parts: readonly string[]) => tryGit(options, { arguments: parts, cwd: into, environment: { GIT_DIR: store, ...REMOTE } })
  await say('init', '--quiet', '--bare', '--template=', store)
  const fetch = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', claim.remote, `+refs/heads/${claim.branch}:${TARGET}`]
  const searched = [`${claim.branch} of ${claim.remote}`, `every branch of ${claim.remote}`]
  const fetched = claim.remote.startsWith('-') ? false : (await say(...fetch)).code === 0
  const head = fetched ? text(await say('rev-parse', '--verify', '--quiet', TARGET)) : ''
  const found = { claim, command: `git ${fetch.join(' ')}`.slice(0, 1_000), remote_head: head === '' ? null : head, searched, found_in: null, ancestor: false, is_new: false, files: [], tests: null }
  if (claim.done_sha === null || !fetched) return DeliveredRepository.parse(found)
  const holds = async (): Promise<boolean> => (await say('cat-file', '-e', `${claim.done_sha}^{commit}`)).code === 0
  // The head of before that is not there any more, or cannot be compared with, leaves open what the branch had.
  const isNew = async (): Promise<boolean> => claim.head_before === 'none' || (claim.head_before !== 'unknown' && (await say('merge-base', '--is-ancestor', claim.done_sha ?? '', claim.head_before)).code === 1)
  if (await holds()) {
    // The objects of the branch alone are here yet: what is an ancestor of its head came with it.
    const ancestor = (await say('merge-base', '--is-ancestor', claim.done_sha, TARGET)).code === 0
    if (!ancestor) return DeliveredRepository.parse({ ...found, found_in: claim.remote })
    return DeliveredRepository.parse({ ...found, found_in: searched[0], ancestor, is_new: await isNew(), ...(await inWorktree(options, request, store, claim)) })
  }
  await say('fetch', '--quiet', '--no-tags', '--no-write-fetch-head', claim.remote, `+refs/heads/*:${OTHERS}/*`)
  return DeliveredRepository.parse({ ...found, found_in: (await holds()) ? searched[1] : null })
}

const text = ({ code, stdout }: Awaited<ReturnType<typeof tryGit>>): string => (code === 0 ? stdout.head.toString('utf8').trim() : '')

/** Files and tests of the pinned commit, in a worktree that nobody else has: what is pushed later is not in it (MC-114). */
async function inWorktree(options: DeliveryOptions, request: DeliveryRequest, store: string, claim: DeliveryClaim): Promise<Pick<DeliveredRepository, 'files' | 'tests'>> {
  const worktree = join(request.into, 'worktree')
  await mkdir(worktree, { mode: 0o700 })
  const commit = claim.done_sha ?? ''
  const environment = { GIT_DIR: store, GIT_WORK_TREE: worktree, GIT_INDEX_FILE: join(store, 'pinned-index') }
  const files = []
  for (const path of claim.files) files.push(await fileIn(options, store, commit, path))
  if (request.tests === undefined) return { files, tests: null }
  for (const step of [['read-tree', commit], ['checkout-index', '--all', '--quiet']]) {
    const exit = await tryGit(options, { arguments: step, cwd: worktree, environment })
    if (exit.code !== 0) throw new PortcullisError('unexpected', { asked: `the worktree of ${claim.name}`, found: `git ${step[0]} exited ${exit.code ?? exit.signal}`, remedy: 'Check that the disk has room.' })
  }
  return { files, tests: await runTests(options, request, request.tests, worktree) }
}

async function fileIn(options: DeliveryOptions, store: string, commit: string, path: string): Promise<DeliveredRepository['files'][number]> {
  const exit = await tryGit(options, { arguments: ['cat-file', 'blob', `${commit}:${path}`], cwd: store, environment: { GIT_DIR: store }, outputBytes: FILE_BYTES })
  return exit.code === 0 ? { path, tracked: true, bytes: exit.stdout.bytes, sha256: exit.stdout.sha256 } : { path, tracked: false, bytes: 0, sha256: null }
}

async function runTests(options: DeliveryOptions, request: DeliveryRequest, tests: NonNullable<DeliveryRequest['tests']>, cwd: string): Promise<DeliveredRepository['tests']> {
  const withheld = createWithheld(options.secrets)
  const scratch = await mkdtemp(join(request.into, 'home-'))
  const path = (request.environment['PATH'] ?? '').split(delimiter).filter(isAbsolute).join(delimiter)
  const [program = '', ...rest] = tests.command
  try {
    const running = await startProcess({ argv: [program, ...rest], cwd, env: { PATH: path, HOME: scratch, TMPDIR: scratch }, stdin: 'ignore', keep: { headBytes: OUTPUT_BYTES, tailBytes: OUTPUT_BYTES } })
    let late = false
    const stop = (): void => void running.stop(0).catch(() => undefined)
    const timer = setTimeout(() => {
      late = true
      stop()
    }, milliseconds(tests.timeout))
    request.signal.addEventListener('abort', stop)
    if (request.signal.aborted) stop()
    const exit = await running.exited
    clearTimeout(timer)
    request.signal.removeEventListener('abort', stop)
    const printed = withheld.redact(Buffer.concat([exit.stdout.head, exit.stdout.tail]).toString('utf8'))
    const count = tests.count === undefined ? undefined : new RegExp(tests.count, 'm').exec(printed)?.[1]
    return { exit_code: exit.code, timed_out: late, count: count !== undefined && /^\d{1,9}$/.test(count) ? Number(count) : null, summary: late ? `did not end within ${tests.timeout}` : `exited ${exit.code ?? exit.signal ?? 'unknown'}, output ${sha256(printed).slice(0, 12)}` }
  } catch (error) {
    if (!(error instanceof ProcessError)) throw error
    return { exit_code: null, timed_out: false, count: null, summary: `could not be started: ${error.code}` }
  }
}
