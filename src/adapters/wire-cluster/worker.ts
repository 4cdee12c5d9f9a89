import cluster from 'node:cluster'
import { PortcullisError } from '../../contract/errors.ts'
import type { Ledger, LedgerWrite } from '../../engine/index.ts'
import type { CallRecorder, Grant, Tally, Wire } from '../../gates/wire/index.ts'
import type { Answer, Asked, ToPrimary, ToWorker } from './messages.ts'

/** What a worker is served by: everything that is decided or stored in one place for all of them. */
export interface WorkerParts {
  readonly ledger: Pick<Ledger, 'append' | 'charged'>
  readonly tally: Tally
  /** How long ago what the licences rest on was read, in milliseconds; Infinity before the first word of the primary. */
  readonly ageMs: () => number
}

export interface WorkerWire {
  /** Opens the wire over these parts. */
  open(parts: WorkerParts): Promise<Wire>
}

/** True in a process that a clustered wire started. */
export const isWireWorker = (): boolean => cluster.isWorker

/** Tells the primary of each call, once its evidence is durable or lost. */
export const reportingTo = (recorder: CallRecorder): CallRecorder => ({
  charged: (account) => recorder.charged(account),
  record: async (runId, call, charge) => {
    try {
      const digest = await recorder.record(runId, call, charge)
      say({ kind: 'recorded', call })
      return digest
    } catch (error) {
      say({ kind: 'unrecorded' })
      throw error
    }
  },
})

/** Serves until the primary says that it is over. A primary that is gone ends this process with it: nobody would count and store any more. */
export async function serveAsWorker({ open }: WorkerWire): Promise<void> {
  const line = new Line()
  const wire = await open(line.parts).catch((error: unknown) => {
    if (!(error instanceof PortcullisError)) throw error
    const { code, asked, found, remedy } = error
    say({ kind: 'failed', fault: { code, asked, found, remedy } })
    return undefined
  })
  if (wire === undefined) return line.hangUp()
  line.serve(wire)
  say({ kind: 'ready', address: wire.address })
  await line.closed
  await wire.close()
  line.hangUp()
}

/** The line to the primary: questions with their answers, and what it orders. */
class Line {
  readonly #waiting = new Map<number, PromiseWithResolvers<Extract<Answer, { ok: true }>['value']>>()
  readonly #grants = new Map<string, Omit<Grant, 'token'>>()
  readonly #over = Promise.withResolvers<void>()
  #early: ToWorker[] | undefined = []
  #wire: Wire | undefined
  #questions = 0
  #currentAt = Number.NEGATIVE_INFINITY

  constructor() {
    process.on('message', (message: ToWorker) => this.#heard(message))
  }

  get closed(): Promise<void> {
    return this.#over.promise
  }

  get parts(): WorkerParts {
    return {
      ledger: {
        append: async (write: LedgerWrite) => void (await this.#ask({ what: 'append', write })),
        charged: async (account) => {
          const value = await this.#ask({ what: 'charged', account })
          if (typeof value !== 'object') throw new TypeError('the primary gave no sum')
          return value
        },
      },
      tally: {
        // The primary opened it before it told anybody of the grant.
        open: () => undefined,
        number: async (runId) => {
          const value = await this.#ask({ what: 'number', runId })
          if (typeof value !== 'number') throw new TypeError('the primary gave no number')
          return value
        },
        take: async (order) => {
          const value = await this.#ask({ what: 'take', order })
          // Whatever else came back: it is not the word that there is a place.
          return value === undefined || typeof value === 'string' ? value : 'the primary gave no answer'
        },
        settle: (grant, profile, used) => say({ kind: 'settle', grant, profile, used }),
        close: () => undefined,
      },
      ageMs: () => performance.now() - this.#currentAt,
    }
  }

  serve(wire: Wire): void {
    this.#wire = wire
    const early = this.#early ?? []
    this.#early = undefined
    for (const message of early) this.#heard(message)
  }

  hangUp(): void {
    process.removeAllListeners('message')
    if (process.connected) process.disconnect()
  }

  #ask(asked: Asked): Promise<Extract<Answer, { ok: true }>['value']> {
    const question = (this.#questions += 1)
    const answer = Promise.withResolvers<Extract<Answer, { ok: true }>['value']>()
    this.#waiting.set(question, answer)
    say({ kind: 'ask', question, asked })
    return answer.promise
  }

  #heard(message: ToWorker): void {
    if (message.kind === 'close') return this.#over.resolve()
    if (message.kind === 'answer') return this.#answered(message.question, message.answer)
    if (message.kind === 'current') {
      this.#currentAt = performance.now() - message.ageMs
      return
    }
    // Licences are told of as soon as the process is there, which is before it listens.
    if (this.#wire === undefined) return void this.#early?.push(message)
    if (message.kind === 'adopt') return void this.#grants.set(message.licence.tokenSha256, this.#wire.adopt(message.request, message.licence))
    if (message.kind === 'withdraw') return this.#grants.get(message.grant)?.withdraw(message.withdrawal)
    void this.#revoke(message.grant)
  }

  #answered(question: number, answer: Answer): void {
    const waiting = this.#waiting.get(question)
    this.#waiting.delete(question)
    if (answer.ok) waiting?.resolve(answer.value)
    else waiting?.reject(new Error(answer.fault))
  }

  async #revoke(grant: string): Promise<void> {
    const held = this.#grants.get(grant)
    this.#grants.delete(grant)
    await held?.revoke()
    say({ kind: 'revoked', grant })
  }
}

function say(message: ToPrimary): void {
  if (process.connected) process.send?.(message)
}
