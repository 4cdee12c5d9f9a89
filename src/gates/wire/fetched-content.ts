import type { Member } from './json-scan.ts'
import { plain, spelt } from './member-name.ts'

/** What stands over a value, as far as it matters here. */
interface Place {
  /** The member, as it was written. */
  readonly written: string
  /** Its value is an address, or holds one. */
  readonly address: boolean
  /** Its value is content, or says where content is: what is not base64 there may be an address. */
  readonly content: boolean
  /** It says where content comes from. */
  readonly source: boolean
}

/** Members that hold schemas, settings and labels, as `spelt` gives them. No provider takes content from them. */
const NO_CONTENT: ReadonlySet<string> = new Set(['tools', 'functions', 'toolchoice', 'toolconfig', 'responseformat', 'text', 'outputconfig', 'outputformat', 'generationconfig', 'metadata'])

/** Within content: what an agent gives its own tools, and what those say, as `spelt` gives them. No provider takes content from there. */
const OF_TOOLS: ReadonlySet<string> = new Set(['input', 'args', 'arguments', 'response', 'tools'])

/** Says where a browser of the client is, and nobody goes there. */
const NOT_FETCHED = 'currenturl'

const OPENS_OBJECT = 0x7b
const OPENS_ARRAY = 0x5b
const CLOSES_OBJECT = 0x7d
const CLOSES_ARRAY = 0x5d
const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c

/** Content that comes along, in the way that every dialect takes it. */
const ALONG = /^"data:/i
/** The same without its type. Whatever else stands where content should be may be an address, however it begins. */
const BASE64 = /^"[\w+/=-]*"?$/

/**
 * The members by which a request has the provider fetch content from an address: an image, a file or a document that a message
 * refers to (WIR-07). Whoever may choose that address can tell its owner anything, from within any isolation. `members` are
 * those of the body, as `scanObject` gave them. One that stands there twice counts twice, because two parsers may each take another.
 */
export function fetchedBy(body: Uint8Array, members: readonly Member[]): readonly string[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const found: string[] = []
  for (const member of members) {
    const name = member.addressed ? spelt(body, member) : undefined
    if (name === undefined || NO_CONTENT.has(name)) continue
    new Walk(bytes, member.valueStart, found).value(placeOf(name, plain(body, member), NOWHERE))
  }
  return found
}

/** What an escaped text begins with; enough of it to tell an address. */
const unescaped = (head: string): string => head.replaceAll(/\\u([\da-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))).replaceAll('\\/', '/')

const NOWHERE: Place = { written: '', address: false, content: false, source: false }

function placeOf(name: string, written: string, over: Place): Place {
  const bare = name === 'url' || name === 'uri'
  const address = bare ? over.address || over.source : /ur[il]$/.test(name) && name !== NOT_FETCHED
  return {
    written: !bare || over.written === '' ? written : over.address ? over.written : `${over.written}.${written}`,
    address,
    content: name === 'filedata',
    source: name === 'source',
  }
}

/** Goes once over a value that was scanned before, so that it is JSON and nests no deeper than the scan allows. */
class Walk {
  readonly #bytes: Buffer
  readonly #found: string[]
  #position: number

  constructor(bytes: Buffer, start: number, found: string[]) {
    this.#bytes = bytes
    this.#position = start
    this.#found = found
  }

  value(place: Place | undefined): void {
    this.#skipSpace()
    const byte = this.#bytes[this.#position]
    if (byte === OPENS_OBJECT) return this.#object(place)
    if (byte === OPENS_ARRAY) return this.#array(place)
    const start = this.#position
    if (byte === QUOTE) this.#skipString()
    else this.#skipWord()
    if (place !== undefined && this.#isAddress(place, start)) this.#found.push(place.written)
  }

  #isAddress(place: Place, start: number): boolean {
    if (!place.address && !place.content) return false
    // So much tells what a text begins with, however it is escaped.
    const head = this.#bytes.subarray(start, Math.min(this.#position, start + 200)).toString('latin1')
    const plain = head.includes('\\') ? unescaped(head) : head
    return plain !== 'null' && plain !== '""' && !ALONG.test(plain) && (place.address || !BASE64.test(plain))
  }

  #array(place: Place | undefined): void {
    this.#position += 1
    for (;;) {
      this.#skipSpace()
      const byte = this.#bytes[this.#position]
      if (byte === CLOSES_ARRAY || byte === undefined) break
      if (byte === COMMA) this.#position += 1
      else this.value(place)
    }
    this.#position += 1
  }

  #object(over: Place | undefined): void {
    this.#position += 1
    for (;;) {
      this.#skipSpace()
      const byte = this.#bytes[this.#position]
      if (byte === CLOSES_OBJECT || byte === undefined) break
      if (byte === COMMA) this.#position += 1
      else this.#member(over)
    }
    this.#position += 1
  }

  #member(over: Place | undefined): void {
    const keyStart = this.#position
    this.#skipString()
    const keyEnd = this.#position
    this.#skipSpace()
    this.#position += 1
    const key = { keyStart, keyEnd }
    const name = over === undefined ? undefined : spelt(this.#bytes, key)
    if (over === undefined || (name !== undefined && OF_TOOLS.has(name))) return this.value(undefined)
    this.value(name === undefined ? NOWHERE : placeOf(name, plain(this.#bytes, key), over))
  }

  #skipSpace(): void {
    for (let byte = this.#bytes[this.#position]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = this.#bytes[this.#position]) this.#position += 1
  }

  #skipWord(): void {
    for (let byte = this.#bytes[this.#position]; byte !== undefined && byte > 0x20 && byte !== COMMA && byte !== CLOSES_ARRAY && byte !== CLOSES_OBJECT; byte = this.#bytes[this.#position]) this.#position += 1
  }

  #skipString(): void {
    for (;;) {
      const quote = this.#bytes.indexOf(QUOTE, this.#position + 1)
      if (quote < 0) throw new TypeError('A string without an end, in bytes that were scanned')
      this.#position = quote
      let backslashes = 0
      while (this.#bytes[quote - 1 - backslashes] === BACKSLASH) backslashes += 1
      if (backslashes % 2 === 0) break
    }
    this.#position += 1
  }
}
