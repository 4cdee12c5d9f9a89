import { GrantedLicence, type Ledger, LicensedAgent, LicensedSession, RunEvent } from '../engine/index.ts'

export interface RunTokenFacts {
  readonly runId: string
  readonly profile: string
  readonly expiresAt: string
  readonly revokedAt: string | null
}

const ROWS_AT_ONCE = 500

/** Which run a run token belongs to, by the events of the ledger. Only the last generation of a token is one. */
export class RunTokens {
  readonly #ledger: Ledger
  readonly #byHash = new Map<string, RunTokenFacts>()
  readonly #hashOf = new Map<string, string>()
  #position = 0
  #reading: Promise<void> = Promise.resolve()

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /** Reads what was added to the ledger first: a token that was revoked a moment ago opens nothing. */
  async find(sha256: string): Promise<RunTokenFacts | undefined> {
    this.#reading = this.#reading.then(() => this.#read(), () => this.#read())
    await this.#reading
    return this.#byHash.get(sha256)
  }

  async #read(): Promise<void> {
    for (;;) {
      const rows = await this.#ledger.rowsAfter('event', this.#position, ROWS_AT_ONCE)
      for (const row of rows) {
        this.#take(row.runId, RunEvent.parse(JSON.parse(row.body)))
        this.#position = row.position
      }
      if (rows.length < ROWS_AT_ONCE) return
    }
  }

  #take(runId: string, event: RunEvent): void {
    const before = this.#hashOf.get(runId)
    if (event.type === 'licence_granted') {
      const licence = GrantedLicence.parse(event.data)
      if (before !== undefined) this.#byHash.delete(before)
      this.#hashOf.set(runId, licence.token_sha256)
      this.#byHash.set(licence.token_sha256, { runId, profile: licence.profile, expiresAt: licence.expires_at, revokedAt: null })
    } else if (event.type === 'agent_licensed') {
      const licence = LicensedAgent.parse(event.data)
      this.#hashOf.set(runId, licence.token_sha256)
      this.#byHash.set(licence.token_sha256, { runId, profile: licence.agent, expiresAt: licence.expires_at, revokedAt: null })
    } else if (event.type === 'session_licensed') {
      const licence = LicensedSession.parse(event.data)
      this.#hashOf.set(runId, licence.token_sha256)
      this.#byHash.set(licence.token_sha256, { runId, profile: licence.profile, expiresAt: licence.expires_at, revokedAt: null })
    } else if (before !== undefined && (event.type === 'licence_revoked' || event.type === 'run_ended')) {
      const facts = this.#byHash.get(before)
      if (facts !== undefined) this.#byHash.set(before, { ...facts, revokedAt: facts.revokedAt ?? event.at })
    }
  }
}
