import { digestOf, sha256 } from '../../src/contract/canonical.ts'
import { createRunToken } from '../../src/contract/ids.ts'
import type { CallRecorder, Grant, GrantRequest, LastWords, ModelCall, RecordedCall, Wire, Withdrawal } from '../../src/gates/wire/index.ts'

/** A wire without a network: each call is what a test says it was. The calls are recorded through the real recorder. */
export class FakeWire implements Wire {
  readonly address = 'http://127.0.0.1:1'
  readonly granted: FakeGrant[] = []
  readonly #recorder: CallRecorder
  readonly #log: (act: string) => void
  #calls = 0

  constructor(recorder: CallRecorder, log: (act: string) => void) {
    this.#recorder = recorder
    this.#log = log
  }

  unboundRequests(): number {
    return 0
  }

  grant(request: GrantRequest): FakeGrant {
    this.#log(`grant ${request.purpose}`)
    const grant = new FakeGrant(request, this.#recorder, this.#log, () => (this.#calls += 1))
    this.granted.push(grant)
    return grant
  }

  adopt(): never {
    throw new Error('no run adopts a licence')
  }

  async close(): Promise<void> {
    this.#log('close wire')
  }
}

export class FakeGrant implements Grant {
  readonly token = createRunToken()
  readonly baseUrl = { 'openai-chat': 'http://127.0.0.1:1/v1', 'openai-responses': 'http://127.0.0.1:1/v1', 'anthropic-messages': 'http://127.0.0.1:1', gemini: 'http://127.0.0.1:1' }
  readonly request: GrantRequest
  readonly recorded: RecordedCall[] = []
  /** What becomes durable only while the grant ends: a call that was open. */
  late: Partial<ModelCall> | undefined
  unrecorded = 0
  lastAt: Date | undefined
  /** Called whenever somebody asks when the last call moved: the turn is being waited for. */
  looked: () => void = () => undefined
  #revoked = false
  readonly #recorder: CallRecorder
  readonly #log: (act: string) => void
  readonly #next: () => number

  constructor(request: GrantRequest, recorder: CallRecorder, log: (act: string) => void, next: () => number) {
    this.request = request
    this.#recorder = recorder
    this.#log = log
    this.#next = next
  }

  /** One call under this grant; answered by the admitted model unless `change` says otherwise. Rejects if it cannot be recorded. */
  async ask(change: Partial<ModelCall> = {}): Promise<void> {
    if (this.#revoked) throw new Error('the grant has ended')
    await this.#record(change)
  }

  calls(): readonly RecordedCall[] {
    return [...this.recorded]
  }

  unrecordedCalls(): number {
    return this.unrecorded
  }

  /** What the last answer said in words. */
  words: LastWords | null = null

  lastWords(): LastWords | null {
    return this.words
  }

  lastActivityAt(): Date | undefined {
    this.looked()
    return this.lastAt
  }

  withdrawn: Withdrawal | undefined

  withdraw(withdrawal: Withdrawal): void {
    this.withdrawn ??= withdrawal
    this.#log(`withdraw ${withdrawal.reason}`)
  }

  async listen(): Promise<void> {
    this.#log('listen')
  }

  async revoke(): Promise<void> {
    if (this.#revoked) return
    this.#revoked = true
    this.#log(`revoke ${this.request.purpose}`)
    if (this.late !== undefined) await this.#record(this.late)
  }

  async #record(change: Partial<ModelCall>): Promise<void> {
    const { admitted, purpose, provider, runId } = this.request
    const number = this.#next()
    const call: ModelCall = {
      number, epoch: this.request.epoch, hops: [], purpose, dialect: provider.dialect, method: 'POST', route: '/v1/chat/completions', inference: true, requestedModel: admitted.model, admitted, servedModel: admitted.model,
      endpoint: provider.baseUrl, outcome: 'answered', reason: null, detail: null, providerStatus: 200, clientStatus: 200, stream: false, toolCalls: purpose === 'health',
      usage: null, costUsd: null, requestBytes: 2, responseBytes: 2, requestDigest: sha256(`question ${number}`), responseDigest: digestOf(number), providerRequestId: null,
      startedAt: new Date().toISOString(), firstByteMs: 1, durationMs: 1, ...change,
    }
    this.recorded.push({ evidence: await this.#recorder.record(runId, call, undefined), call })
  }
}
