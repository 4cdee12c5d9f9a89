import type { ServerResponse } from 'node:http'
import { milliseconds } from '../../contract/units.ts'
import { type AdmittedQuestion, type Fault, maySucceedElsewhere, REMEDIES, type Target, type Withdrawal } from '../../gates/wire/index.ts'
import { type Exchanged, exchange } from './exchange.ts'
import type { OpenCall } from './open-call.ts'
import type { Desk } from './serve.ts'

export interface InTurn {
  readonly desk: Desk
  readonly call: OpenCall
  readonly client: ServerResponse
  readonly question: AdmittedQuestion
  readonly query: string
  readonly rawHeaders: readonly string[]
}

type Asked = Pick<Exchanged, 'conclusion' | 'words' | 'deliver'> | { readonly refused: Withdrawal }

/**
 * Asks the candidates of a question in their order, each at most once, until one answers or the agent got a byte (WIR-31).
 * A candidate whose record has ended or that is unhealthy is passed over and never asked; every try that is not the answer
 * stands in the evidence. If none can be asked, nothing is routed.
 */
export async function askInTurn(turn: InTurn): Promise<Asked> {
  const { call, question } = turn
  let last: Asked | undefined
  for (const [index, target] of question.candidates.entries()) {
    call.target = target
    const barred = barOf(turn, target)
    const beganMs = call.elapsedMs()
    const asked = barred === undefined ? await askOne(turn, target) : { refused: barred }
    last = asked
    const isLast = index === question.candidates.length - 1
    if ('refused' in asked) {
      if (!isLast) call.hop({ reason: asked.refused.reason, detail: asked.refused.found }, null, call.elapsedMs() - beganMs)
      continue
    }
    const { fault, providerStatus } = asked.conclusion
    if (isLast || fault === undefined || asked.begun || call.cutBy !== undefined || !maySucceedElsewhere(fault.reason)) return asked
    call.hop(fault, providerStatus, call.elapsedMs() - beganMs)
  }
  return last ?? { refused: { reason: 'model_not_admitted', found: 'nobody who may answer', remedy: 'Name a model that the run was admitted for.' } }
}

/** Why a candidate may not be asked now; undefined if it may. A probe is what an unhealthy pair comes back by, so it is let through. */
function barOf({ desk, call }: InTurn, { admitted, admittedUntil }: Target): Withdrawal | undefined {
  if (admittedUntil !== null && call.grant.clock().getTime() >= admittedUntil.getTime()) {
    return { reason: 'not_admitted', found: `a record that ended at ${admittedUntil.toISOString()}`, remedy: 'Have the pair reviewed and its record renewed, then run it again.' }
  }
  const trouble = call.grant.request.purpose === 'health' ? undefined : desk.health.troubleOf(admitted)
  return trouble === undefined ? undefined : { reason: 'provider_unhealthy', found: trouble, remedy: REMEDIES.provider_unhealthy ?? '' }
}

async function askOne(turn: InTurn, target: Target): Promise<(Exchanged & { readonly begun: boolean }) | { readonly refused: Withdrawal }> {
  const { desk, call, client, question, query, rawHeaders } = turn
  const access = await desk.credentials.credentialFor(target.admitted.provider, target.provider, target.provider.dialect)
  if (!access.ok) return { refused: { reason: 'credential_unavailable', found: access.found, remedy: access.remedy } }
  const once = async (): Promise<Exchanged> => {
    const exchanged = await exchange({ call, client, question, query, rawHeaders, credential: access.credential, pool: desk.poolOf(target.provider) })
    if (call.inference) desk.health.saw(target.admitted, call.grant.request.purpose, exchanged.conclusion)
    return exchanged
  }
  const beganMs = call.elapsedMs()
  const first = await once()
  const { fault, providerStatus } = first.conclusion
  if (fault === undefined || first.begun || call.cutBy !== undefined) return first
  const waitMs = waitBeforeSecondTry(first, fault, target, call.elapsedMs())
  if (waitMs === undefined) return first
  call.hop(fault, providerStatus, call.elapsedMs() - beganMs)
  // The agent may leave meanwhile; the second try then ends at once and says so.
  if (waitMs > 0) await waitUnlessCut(call, waitMs)
  return once()
}

const waitUnlessCut = (call: OpenCall, waitMs: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, waitMs)
    call.onCut(() => {
      clearTimeout(timer)
      resolve()
    })
  })

/**
 * How long to wait before the same provider is asked a second and last time; undefined if it is not. A request that never
 * went out is repeated at once on a fresh connection; a busy provider is waited for as its configuration says (WIR-32).
 */
function waitBeforeSecondTry({ neverSent, retryAfterMs }: Exchanged, fault: Fault, { provider }: Target, elapsedMs: number): number | undefined {
  if (neverSent) return 0
  const busy = fault.reason === 'provider_rate_limited' || fault.reason === 'provider_overloaded'
  if (provider.onBusy !== 'wait' || !busy || retryAfterMs === null) return undefined
  return elapsedMs + retryAfterMs < milliseconds(provider.timeouts.total) ? retryAfterMs : undefined
}
