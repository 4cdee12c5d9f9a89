import { inspect } from 'node:util'
import type { Credential } from '../../gates/wire/index.ts'
import { needlesOf } from '../secret-scan/index.ts'

/** Shorter values are no secrets, and would be found in every answer. */
const SHORTEST_SECRET = 8

const SHOWN = '[credential]'

/** A credential that was read. The value lies in a private field and no way of printing an object shows it (SEC-01). */
export class ReadCredential implements Credential {
  readonly #headers: Readonly<Record<string, string>>
  readonly #secrets: readonly string[]
  readonly #spellings: readonly Buffer[]

  constructor(headers: Readonly<Record<string, string>>, secrets: readonly string[]) {
    this.#headers = headers
    this.#secrets = secrets.filter((secret) => secret.length >= SHORTEST_SECRET)
    this.#spellings = [...new Set(this.#secrets.flatMap(spellingsOf))].map((spelling) => Buffer.from(spelling))
  }

  get longest(): number {
    return this.#spellings.reduce((longest, { length }) => Math.max(longest, length), 0)
  }

  headers(): Readonly<Record<string, string>> {
    return { ...this.#headers }
  }

  isIn(bytes: Uint8Array): boolean {
    if (this.#spellings.length === 0) return false
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return this.#spellings.some((spelling) => view.includes(spelling))
  }

  /** Errors are small and rare, so they are searched for every form that the secret scan knows, and not for those of JSON alone. */
  redact(bytes: Uint8Array): Uint8Array {
    const forms = [...this.#spellings, ...this.#secrets.flatMap((secret) => needlesOf(secret).map((needle) => needle.bytes))]
    const copy = Buffer.from(bytes)
    let found = false
    for (const form of forms) {
      for (let at = copy.indexOf(form); at >= 0; at = copy.indexOf(form, at + form.length)) {
        copy.fill('*', at, at + form.length)
        found = true
      }
    }
    return found ? copy : bytes
  }

  toJSON(): string {
    return SHOWN
  }

  toString(): string {
    return SHOWN
  }

  [inspect.custom](): string {
    return SHOWN
  }
}

/** As it stands, and as JSON writers spell it. */
function spellingsOf(secret: string): readonly string[] {
  const json = JSON.stringify(secret).slice(1, -1)
  return [secret, json, json.replaceAll('/', '\\/')]
}
