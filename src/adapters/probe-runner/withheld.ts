import type { StreamSummary } from '../process/index.ts'
import { createValueScanner } from '../secret-scan/index.ts'
import { type OutputPreview, PREVIEW_CHARACTERS } from '../../gates/acceptance/index.ts'

/** Names that credentials go by. A variable that is only called so is withheld too: a missing one is found out at once, a leaked one never. */
const CREDENTIAL_NAME = /(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|AUTH)(?:_|$)/i

/** A credential may be written in a form several times as long as itself (percent or hexadecimal). */
const LONGEST_FORM = 6

/** Keeps the credentials we know out of what a probe is given and of what is stored about it (ACC-48). */
export interface Withheld {
  holdsSecret(text: string): boolean
  isWithheld(name: string, value: string): boolean
  redact(text: string): string
  /** How many bytes of each end must be kept, so that a credential across the edge of a preview is still seen whole. */
  keptBytes(): number
  preview(stream: StreamSummary): OutputPreview
}

/** `secrets` is asked anew each time: the wire may have read a credential since. */
export function createWithheld(secrets: () => readonly string[]): Withheld {
  const scanner = createValueScanner(secrets)
  const margin = (): number => Math.min(65_536, LONGEST_FORM * secrets().reduce((longest, secret) => Math.max(longest, Buffer.byteLength(secret)), 0))
  const holdsSecret = (text: string): boolean => scanner.scan(Buffer.from(text)).length > 0
  return {
    holdsSecret,
    isWithheld: (name, value) => CREDENTIAL_NAME.test(name) || holdsSecret(name) || holdsSecret(value),
    redact: (text) => scanner.redact(text),
    keptBytes: () => PREVIEW_CHARACTERS + margin(),
    preview: (stream) => previewOf(stream, (text) => scanner.redact(text), margin()),
  }
}

/**
 * Redacted before it is cut, and cut so far inside that what is left of a credential at the edge of the kept bytes goes
 * too: half a key is a leak that no scan for the whole one finds.
 */
function previewOf(stream: StreamSummary, redact: (text: string) => string, margin: number): OutputPreview {
  const { bytes, sha256, truncated } = stream
  if (!truncated) {
    const text = redact(Buffer.concat([stream.head, stream.tail]).toString('utf8'))
    const rest = text.slice(PREVIEW_CHARACTERS)
    return { head: whole(text.slice(0, PREVIEW_CHARACTERS)), tail: whole(rest.slice(-PREVIEW_CHARACTERS)), bytes, sha256, truncated: rest.length > PREVIEW_CHARACTERS }
  }
  const head = redact(stream.head.toString('utf8'))
  const tail = redact(stream.tail.toString('utf8'))
  return { head: whole(head.slice(0, Math.max(0, head.length - margin)).slice(0, PREVIEW_CHARACTERS)), tail: whole(tail.slice(margin).slice(-PREVIEW_CHARACTERS)), bytes, sha256, truncated }
}

/** A cut may fall inside a character of two units; half of one cannot be stored. */
const whole = (text: string): string => text.toWellFormed()
