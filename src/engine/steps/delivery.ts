import * as z from 'zod'
import { milliseconds } from '../../contract/units.ts'
import { type DeliveredRepository, DeliveryClaim, type HeadBefore } from '../../gates/acceptance/index.ts'
import { MARGIN_MS, LOCAL_WORK_MS } from '../limits.ts'
import type { RunDirectory } from '../run-directory.ts'
import type { Task } from '../task.ts'
import type { World } from '../world.ts'

const ClaimFile = z.record(z.string(), z.object({ sha: DeliveryClaim.shape.done_sha.unwrap(), files: DeliveryClaim.shape.files.optional(), tests: DeliveryClaim.shape.tests.unwrap().optional() }))

const CLAIM_BYTES = 65_536

/** Where each target branch stands, by the name of its repository. Asked before the agent is started, so that nothing counts as its work that was there already. */
export async function headsBefore(world: Pick<World, 'deliveries'>, { delivery }: Task, remotes: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, HeadBefore>> {
  const heads = new Map<string, HeadBefore>()
  for (const { name, remote, branch } of delivery?.repositories ?? []) heads.set(name, await world.deliveries.head({ remote: remotes[name] ?? remote, branch }))
  return heads
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
