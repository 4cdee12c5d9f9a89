import { createHash } from 'node:crypto'
import * as z from 'zod'
import { canonicalJson } from '../../contract/canonical.ts'
import { TRACE_FAULTS } from '../../gates/acceptance/index.ts'
import { faultsOfShape, type Invariant, type RequiredChange, type SimTraceProbe } from '../../gates/catalog/index.ts'

/** A trace is read as it is printed; what is longer ends the program, so that memory stays bounded whatever it prints. */
const TRACE_BYTES = 16_777_216
const LINE_BYTES = 262_144
/** Of this much the beginning is kept for people. */
const KEPT_BYTES = 524_288

const Line = z.strictObject({ tick: z.int().nonnegative(), state: z.record(z.string(), z.unknown()) })

export interface CountedChange {
  readonly found: number
  readonly firstTick: number | null
}

/** What is known of a trace when it has ended. */
export interface ReadTrace {
  readonly ticks: number
  readonly bytes: number
  readonly digest: string | null
  readonly faults: readonly string[]
  /** In the order of the definition. */
  readonly changes: readonly CountedChange[]
  /** The beginning, in whole lines. */
  readonly kept: Buffer
}

/**
 * Reads a trace line by line while it is printed, and keeps of it only the state before: the number of ticks, the required
 * changes, the invariants and the digest. `giveUp` is called once, when nothing that follows could make it right again.
 */
export class TraceReader {
  readonly #probe: SimTraceProbe
  readonly #giveUp: () => void
  readonly #hash = createHash('sha256')
  readonly #faults: string[] = []
  readonly #counts: { found: number; firstTick: number | null }[]
  readonly #kept: Buffer[] = []
  #keptBytes = 0
  #rest: Buffer = Buffer.alloc(0)
  #bytes = 0
  #lines = 0
  #before: Readonly<Record<string, unknown>> | undefined
  #broken = false

  constructor(probe: SimTraceProbe, giveUp: () => void) {
    this.#probe = probe
    this.#giveUp = giveUp
    this.#counts = probe.changes.map(() => ({ found: 0, firstTick: null }))
  }

  add(chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#broken) return
    if (this.#bytes > TRACE_BYTES) return this.#break(`the trace is longer than ${TRACE_BYTES} bytes`)
    let text = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    for (let end = text.indexOf(10); end >= 0 && !this.#broken; end = text.indexOf(10)) {
      this.#line(text.subarray(0, end))
      text = text.subarray(end + 1)
    }
    if (text.length > LINE_BYTES) return this.#break(`line ${this.#lines + 1} is longer than ${LINE_BYTES} bytes`)
    // Copied: what is left must not keep the chunk alive.
    this.#rest = Buffer.from(text)
  }

  /** Ends the reading; nothing may be added after it. */
  end(): ReadTrace {
    if (!this.#broken && this.#rest.length > 0) this.#break(`line ${this.#lines + 1} has no end`)
    const ticks = Math.max(0, this.#lines - 1)
    if (!this.#broken && this.#lines === 0) this.#fault('it printed no state')
    else if (!this.#broken && ticks !== this.#probe.ticks.count) this.#fault(`${ticks} ticks of ${this.#probe.ticks.count}`)
    return { ticks, bytes: this.#bytes, digest: this.#broken || this.#lines === 0 ? null : this.#hash.digest('hex'), faults: this.#faults, changes: this.#counts, kept: Buffer.concat(this.#kept) }
  }

  #line(bytes: Buffer): void {
    const number = this.#lines + 1
    if (this.#lines > this.#probe.ticks.count) return this.#break(`line ${number} is one more than the ${this.#probe.ticks.count} ticks and the state before them`)
    const line = readLine(bytes)
    if (line === undefined) return this.#break(`line ${number} is not {"tick": number, "state": object} as JSON`)
    const { tick, state } = line.value
    if (tick !== this.#lines) return this.#break(`line ${number} is of tick ${tick}, not ${this.#lines}`)
    this.#hash.update(`${line.canonical}\n`)
    this.#keep(bytes)
    this.#checkInvariants(tick, state)
    this.#countChanges(tick, state)
    this.#before = state
    this.#lines += 1
  }

  #keep(bytes: Buffer): void {
    if (this.#keptBytes + bytes.length + 1 > KEPT_BYTES) return void (this.#keptBytes = Number.POSITIVE_INFINITY)
    this.#keptBytes += bytes.length + 1
    this.#kept.push(Buffer.from(bytes), Buffer.from('\n'))
  }

  #checkInvariants(tick: number, state: Readonly<Record<string, unknown>>): void {
    for (const invariant of this.#probe.invariants ?? []) {
      const [fault] = faultsOfInvariant(invariant, this.#before, state)
      if (fault !== undefined) this.#fault(`tick ${tick}: ${invariant.at} ${fault}`)
    }
  }

  #countChanges(tick: number, state: Readonly<Record<string, unknown>>): void {
    const before = this.#before
    if (before === undefined) return
    this.#probe.changes.forEach(({ at, change }, index) => {
      const count = this.#counts[index]
      if (count === undefined || !happened(change, valueAt(before, at), valueAt(state, at))) return
      count.found += 1
      count.firstTick ??= tick
    })
  }

  #fault(text: string): void {
    if (this.#faults.length < TRACE_FAULTS) this.#faults.push(text)
  }

  #break(text: string): void {
    // Named first: what the invariants said about a trace that is none is of less interest.
    this.#faults.unshift(text)
    this.#faults.splice(TRACE_FAULTS)
    this.#broken = true
    this.#rest = Buffer.alloc(0)
    this.#giveUp()
  }
}

/** Undefined for what is no state, or cannot be said in canonical JSON. */
function readLine(bytes: Buffer): { readonly value: z.infer<typeof Line>; readonly canonical: string } | undefined {
  try {
    const parsed = Line.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
    return parsed.success ? { value: parsed.data, canonical: canonicalJson(parsed.data) } : undefined
  } catch {
    return undefined
  }
}

/** The value at a JSON pointer; undefined if there is none. */
export function valueAt(state: unknown, pointer: string): unknown {
  let value = state
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = Reflect.get(value, name)
  }
  return value
}

function happened(change: RequiredChange['change'], before: unknown, after: unknown): boolean {
  if (change === 'differs') return !same(before, after)
  if (typeof before !== 'number' || typeof after !== 'number') return false
  return change === 'increases' ? after > before : after < before
}

function faultsOfInvariant({ at, shape, order }: Invariant, before: Readonly<Record<string, unknown>> | undefined, state: Readonly<Record<string, unknown>>): string[] {
  const value = valueAt(state, at)
  const faults = shape === undefined ? [] : faultsOfShape(shape, value, 1).map((fault) => fault.replace(/^the value /, ''))
  if (order === undefined) return faults
  if (value === undefined) return [...faults, 'is missing']
  if (before === undefined) return faults
  const former = valueAt(before, at)
  if (order === 'constant') return same(former, value) ? faults : [...faults, 'changed']
  if (typeof former !== 'number' || typeof value !== 'number') return [...faults, 'is no number']
  const broken = order === 'never-decreases' ? value < former : value > former
  return broken ? [...faults, order === 'never-decreases' ? 'decreased' : 'increased'] : faults
}

const same = (one: unknown, other: unknown): boolean => (one === undefined || other === undefined ? one === other : canonicalJson(one) === canonicalJson(other))
