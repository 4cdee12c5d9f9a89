import { inspect } from 'node:util'
import type { Credential } from '../../gates/wire/index.ts'

/** Shorter values are no secrets, and would be found in every answer. */
const SHORTEST_SECRET = 8

const SHOWN = '[credential]'

/** A credential that was read. The value lies in a private field and no way of printing an object shows it (SEC-01). */
export class ReadCredential implements Credential {
  readonly #headers: Readonly<Record<string, string>>
  readonly #spellings: readonly Buffer[]

  constructor(headers: Readonly<Record<string, string>>, secrets: readonly string[]) {
    this.#headers = headers
    this.#spellings = [...new Set(secrets.filter((secret) => secret.length >= SHORTEST_SECRET).flatMap(spellingsOf))].map((spelling) => Buffer.from(spelling))
  }

  headers(): Readonly<Record<string, string>> {
    return { ...this.#headers }
  }

  isIn(bytes: Uint8Array): boolean {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return this.#spellings.some((spelling) => view.includes(spelling))
  }

  redact(bytes: Uint8Array): Uint8Array {
    if (!this.isIn(bytes)) return bytes
    const copy = Buffer.from(bytes)
    for (const spelling of this.#spellings) {
      for (let at = copy.indexOf(spelling); at >= 0; at = copy.indexOf(spelling, at + spelling.length)) copy.fill('*', at, at + spelling.length)
    }
    return copy
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
