import * as z from 'zod'
import { milliseconds } from '../../contract/units.ts'
import { type DeliveredRepository, DeliveryClaim, HeadBefore } from '../../gates/acceptance/index.ts'
import type { Course } from '../course.ts'
import { RunEvent } from '../ledger.ts'
import { MARGIN_MS, LOCAL_WORK_MS } from '../limits.ts'
import type { RunDirectory } from '../run-directory.ts'
import { RULEBOOK } from '../rulebook.ts'
import type { Task } from '../task.ts'
import { verifyHistory } from '../verify-chain.ts'
import type { World } from '../world.ts'

const ClaimFile = z.record(z.string(), z.object({ sha: DeliveryClaim.shape.done_sha.unwrap(), files: DeliveryClaim.shape.files.optional(), tests: DeliveryClaim.shape.tests.unwrap().optional() }))

const CLAIM_BYTES = 65_536

/** A ticket with the runs that were for it so far, in their order. */
export interface TicketOfRun {
  readonly id: string
  readonly runs: readonly string[]
}

interface HeadsAsked {
  readonly task: Task
  readonly remotes: Readonly<Record<string, string>>
  readonly ticket?: TicketOfRun | undefined
}

/**
 * Where each target branch stood, by the name of its repository, before the agent is started: what was there already is nobody's work.
 * Of a ticket, before the first of its runs: what a run pushed that was rejected afterwards, or killed, is the work of its ticket, and
 * nobody could push it again.
 */
export async function headsBefore(world: Pick<World, 'deliveries' | 'ledger'>, course: Course, { task, remotes, ticket }: HeadsAsked): Promise<ReadonlyMap<string, HeadBefore>> {
  const heads = new Map<string, HeadBefore>()
  const repositories = task.delivery?.repositories ?? []
  if (repositories.length === 0) return heads
  const earlier = ticket === undefined ? [] : await headsOfEarlier(world.ledger, ticket)
  for (const { name, remote, branch } of repositories) {
    const place = { remote: remotes[name] ?? remote, branch }
    const known = earlier.find((noted) => noted.remote === place.remote && noted.branch === branch && noted.head !== 'unknown')
    const head = known?.head ?? (await world.deliveries.head(place))
    heads.set(name, head)
    await course.append({ events: [course.event('delivery_awaited', { ...place, head })] })
  }
  return heads
}

const Awaited = z.object({ remote: z.string(), branch: z.string(), head: HeadBefore })

/** What the earlier runs of a ticket noted, the earliest first. A run of another ticket, or one whose rows do not verify, says nothing. */
async function headsOfEarlier(ledger: Pick<World['ledger'], 'history'>, { id, runs }: TicketOfRun): Promise<readonly z.infer<typeof Awaited>[]> {
  const noted: z.infer<typeof Awaited>[] = []
  for (const run of runs) {
    const history = await ledger.history(run)
    if (history === undefined || verifyHistory(history, RULEBOOK).problems.some(({ code }) => code !== 'run_unfinished')) continue
    const events = history.entries.flatMap(({ kind, body }) => (kind === 'event' ? [RunEvent.parse(JSON.parse(body))] : []))
    if (events.find(({ type }) => type === 'run_opened')?.data['ticket'] !== id) continue
    noted.push(...events.flatMap(({ type, data }) => (type === 'delivery_awaited' ? [Awaited.parse(data)] : [])))
  }
  return noted
}

/** Pins what the agent says it delivered, when it is done. Nothing of it is believed; what cannot be read claims nothing. */
export function pinClaims(task: Task, remotes: Readonly<Record<string, string>>, heads: ReadonlyMap<string, HeadBefore>, directory: Pick<RunDirectory, 'read'>): DeliveryClaim[] {
  const { delivery } = task
  if (delivery === undefined) return []
  const claimed = readClaims(directory.read(`workspace/${delivery.claim}`))
  return delivery.repositories.map(({ name, remote, branch }) => {
    const own = Object.hasOwn(claimed, name) ? claimed[name] : undefined
    return { name, remote: remotes[name] ?? remote, branch, done_sha: own?.sha ?? null, head_before: heads.get(name) ?? 'unknown', files: own?.files ?? [], tests: own?.tests ?? null }
  })
}

function readClaims(content: Buffer | undefined): z.infer<typeof ClaimFile> {
  if (content === undefined || content.length > CLAIM_BYTES) return {}
  try {
    const parsed = ClaimFile.safeParse(JSON.parse(content.toString('utf8')))
    return parsed.success ? parsed.data : {}
  } catch {
    return {}
  }
}

/** How long it may take to look at every repository. */
export const deliveriesLimitMs = ({ delivery }: Task): number => (delivery?.repositories ?? []).reduce((total, { tests }) => total + 6 * LOCAL_WORK_MS + (tests === undefined ? 0 : milliseconds(tests.timeout) + MARGIN_MS), 0)

/** Looks at each pinned commit: in the remote, after a fetch, and in a worktree of its own that is kept until the gate has ended. */
export async function checkDeliveries(world: World, task: Task, claims: readonly DeliveryClaim[], directory: RunDirectory, signal: AbortSignal): Promise<DeliveredRepository[] | null> {
  if (task.delivery === undefined) return null
  const delivered: DeliveredRepository[] = []
  for (const claim of claims) {
    const tests = task.delivery.repositories.find((repository) => repository.name === claim.name)?.tests
    delivered.push(await world.deliveries.check({ claim, tests, into: `${directory.path}/delivery/${claim.name}`, environment: world.inherited, signal }))
  }
  return delivered
}
