import * as z from 'zod'
import { Verdict } from '../../contract/verdict.ts'
import { type LedgerEntry, RunEvent } from '../../engine/index.ts'
import type { SecretScanner } from '../../gates/report/index.ts'
import { ModelCallEvidence } from '../../gates/wire/index.ts'
import { type GuardedClient, limitOf } from '../outgoing/index.ts'
import { type Opened, type Span, spanOfCall, spanOfRun, spanOfVerdict } from './conventions.ts'
import { otlpOf } from './otlp.ts'

/** Why spans did not arrive: nobody answered, the answer was no, some of them were not taken, or a credential stood in them. */
export const LOSSES = ['unreachable', 'refused', 'rejected', 'withheld'] as const
export type Loss = (typeof LOSSES)[number]

export interface TelemetryParts {
  readonly endpoint: string
  readonly client: GuardedClient
  readonly timeoutMs: number
  readonly version: string
  readonly scanner: Pick<SecretScanner, 'scan'>
  /** After which row of the ledger it begins: what was there before was told by an earlier server, or by nobody. */
  readonly after: number
  rowsAfter(kind: LedgerEntry['kind'], position: number, most: number): Promise<readonly { readonly runId: string; readonly position: number; readonly body: string }[]>
  /** The event by which a run was opened, as it is stored. */
  opening(runId: string): Promise<unknown>
  sent(spans: number): void
  lost(spans: number, loss: Loss): void
}

const ROWS_AT_ONCE = 500
const TRIES = 2
const MAX_ANSWER_BYTES = 65_536
const KINDS = ['event', 'verdict', 'evidence'] as const satisfies readonly LedgerEntry['kind'][]

const Rejected = z.looseObject({ partialSuccess: z.looseObject({ rejectedSpans: z.coerce.number().int().nonnegative().optional() }).optional() })

/**
 * Tells a collector of OpenTelemetry what the ledger holds, row after row. It reads what is durable already, so nothing that it does,
 * and no collector that is slow, silent or broken, can change a verdict or hold up a call. What does not arrive is counted, and not
 * tried for ever: the ledger is the record, this is a view of it.
 */
export class TelemetryFollower {
  readonly #parts: TelemetryParts
  readonly #positions: Map<LedgerEntry['kind'], number>

  constructor(parts: TelemetryParts) {
    this.#parts = parts
    this.#positions = new Map(KINDS.map((kind) => [kind, parts.after]))
  }

  /** Sends what was added since the last time. Rejects only if the ledger cannot be read; then the same rows come next time. */
  async sweep(ended: AbortSignal): Promise<void> {
    for (const kind of KINDS) {
      for (let more = true; more && !ended.aborted; ) {
        const rows = await this.#parts.rowsAfter(kind, this.#positions.get(kind) ?? this.#parts.after, ROWS_AT_ONCE)
        more = rows.length === ROWS_AT_ONCE
        const spans = (await Promise.all(rows.map(({ runId, body }) => this.#spansOf(kind, runId, body)))).flat()
        if (spans.length > 0) await this.#send(spans, ended)
        const last = rows.at(-1)
        if (last !== undefined) this.#positions.set(kind, last.position)
      }
    }
  }

  async #spansOf(kind: LedgerEntry['kind'], runId: string, body: string): Promise<readonly Span[]> {
    switch (kind) {
      case 'verdict':
        return [spanOfVerdict(Verdict.parse(JSON.parse(body)))]
      case 'evidence': {
        // Most evidence is of other things, and larger.
        const call = body.includes(ModelCallEvidence.type) ? ModelCallEvidence.read(JSON.parse(body))?.predicate : undefined
        const span = call === undefined ? undefined : spanOfCall(runId, call)
        return span === undefined ? [] : [span]
      }
      case 'event': {
        if (!body.includes('"run_ended"')) return []
        const event = RunEvent.parse(JSON.parse(body))
        return event.type === 'run_ended' ? [spanOfRun(runId, await this.#openedAt(runId, event), event)] : []
      }
    }
  }

  /** A run whose beginning nobody wrote began, for who looks at spans, when it ended. */
  async #openedAt(runId: string, ended: RunEvent): Promise<Opened> {
    const opened = RunEvent.safeParse(await this.#parts.opening(runId))
    return opened.success && opened.data.type === 'run_opened' ? opened.data : { at: ended.at, data: {} }
  }

  async #send(spans: readonly Span[], ended: AbortSignal): Promise<void> {
    const { scanner, version, sent, lost } = this.#parts
    const body = otlpOf(spans, version)
    if (scanner.scan(Buffer.from(body)).length > 0) return lost(spans.length, 'withheld')
    let loss: Loss = 'unreachable'
    for (let tried = 0; tried < TRIES && !ended.aborted; tried += 1) {
      const answer = await this.#post(body)
      if (typeof answer === 'number') {
        const rejected = Math.min(answer, spans.length)
        if (rejected > 0) lost(rejected, 'rejected')
        return sent(spans.length - rejected)
      }
      loss = answer
    }
    lost(spans.length, loss)
  }

  /** How many spans the collector did not take, or why it is not known that it took any. */
  async #post(body: string): Promise<number | Loss> {
    const limit = limitOf(this.#parts.timeoutMs)
    try {
      const answer = await this.#parts.client.fetch(this.#parts.endpoint, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json' }, body, signal: limit.signal })
      if (!answer.ok) {
        await answer.body?.cancel()
        return 'refused'
      }
      return rejectedIn(await shortText(answer.body))
    } catch {
      return 'unreachable'
    } finally {
      limit.clear()
    }
  }
}

/** What is not said in so many words was taken: the status said so. */
function rejectedIn(answer: string): number {
  try {
    return Rejected.parse(JSON.parse(answer)).partialSuccess?.rejectedSpans ?? 0
  } catch {
    return 0
  }
}

/** The beginning of an answer; what is longer is none that a collector gives. */
async function shortText(body: AsyncIterable<unknown> | null): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body ?? []) {
    if (!(chunk instanceof Uint8Array)) continue
    length += chunk.length
    if (length > MAX_ANSWER_BYTES) return ''
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
