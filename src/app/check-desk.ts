import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { AREAS } from '../adapters/doctor/index.ts'
import type { Log } from '../adapters/log/index.ts'
import { sha256 } from '../contract/canonical.ts'
import { PortcullisError } from '../contract/errors.ts'
import type { ActBook } from '../engine/index.ts'
import { examine } from './doctor.ts'
import { runDrill } from './drill.ts'
import { type AppOptions, stateDirectoryOf } from './places.ts'

const Instant = z.iso.datetime()
const DrillLineShape = z.strictObject({
  attack: z.string(), title: z.string(), tried: z.string(), verdict: z.enum(['closed', 'open', 'not-applicable', 'not-proven']), expected: z.strictObject({ by: z.string(), reason: z.string() }),
  found: z.strictObject({ by: z.string().nullable(), reason: z.string().nullable(), message: z.string() }).nullable(), because: z.array(z.string()), elapsed_ms: z.int(),
})
const DrillAnswerShape = z.strictObject({
  profiles: z.array(z.strictObject({ profile: z.string(), purpose: z.string().nullable(), model: z.string(), control: z.strictObject({ accepted: z.boolean(), message: z.string(), elapsed_ms: z.int() }), lines: z.array(DrillLineShape) })),
  closed: z.int(), open: z.int(), not_applicable: z.int(), not_proven: z.int(), elapsed_ms: z.int(), exit_code: z.union([z.literal(0), z.literal(4)]),
})
const DoctorAnswerShape = z.strictObject({
  rows: z.array(z.strictObject({ area: z.enum(AREAS), name: z.string(), status: z.enum(['ok', 'missing', 'warning', 'unneeded']), found: z.string(), needed_for: z.string(), remedy: z.string().nullable() })),
  missing: z.int(), warnings: z.int(), exit_code: z.union([z.literal(0), z.literal(3)]),
})

const stored = <Answer extends z.ZodType>(answer: Answer) => z.strictObject({ began_at: Instant, ended_at: Instant, asked_by: z.string(), answer })
const StoredDrill = stored(DrillAnswerShape)
const StoredDoctor = stored(DoctorAnswerShape)

const Tampered = z.string().nullable().describe('Why nothing is shown as the last result although there was one: its file is not the one that the ledger names.')

/** Where a drill stands. One that was cut off leaves the fault, never the look of one that closed everything. */
export const DrillView = z.strictObject({
  last: StoredDrill.nullable(),
  tampered: Tampered,
  running: z.strictObject({ began_at: Instant, asked_by: z.string(), tried: z.int(), open: z.int() }).nullable(),
  fault: z.string().nullable().describe('Why the last one that was begun here gave no result.'),
})
export const DoctorView = z.strictObject({ last: StoredDoctor.nullable(), tampered: Tampered })

type Check = 'drill' | 'doctor'

interface Going { readonly began_at: string; readonly asked_by: string; tried: number; open: number; readonly ended: Promise<void> }

/**
 * Drill and doctor as a server runs them: the last result of each lies beside the ledger, and outlives the server. Its digest
 * stands in the ledger: below isolation `fs` an agent can write to the file, and would look like what let nothing through.
 */
export class CheckDesk {
  readonly #options: AppOptions
  readonly #acts: Pick<ActBook, 'checked' | 'lastChecked'>
  readonly #log: Log
  readonly #closing = new AbortController()
  #going: Going | undefined
  #fault: string | null = null
  /** A file and its row are two writes; between them nobody looks. */
  #writing: Promise<unknown> = Promise.resolve()

  constructor(options: AppOptions, acts: Pick<ActBook, 'checked' | 'lastChecked'>, log: Log) {
    this.#options = options
    this.#acts = acts
    this.#log = log
  }

  async drill(): Promise<z.infer<typeof DrillView>> {
    const found = await this.#read('drill', StoredDrill)
    const going = this.#going
    return { ...found, running: going === undefined ? null : { began_at: going.began_at, asked_by: going.asked_by, tried: going.tried, open: going.open }, fault: this.#fault }
  }

  doctor(): Promise<z.infer<typeof DoctorView>> {
    return this.#read('doctor', StoredDoctor)
  }

  /** Begins a drill of every profile, in copies of its own. Throws `usage` while one runs. */
  beginDrill(askedBy: string): void {
    if (this.#closing.signal.aborted) throw new PortcullisError('server_draining', { asked: 'a drill', found: 'a server that was told to end', remedy: 'Ask again when the server is back.' })
    if (this.#going !== undefined) throw new PortcullisError('usage', { asked: 'a drill', found: `one that ${this.#going.asked_by} began at ${this.#going.began_at} and that goes on`, remedy: 'Wait for its end: GET /drill.' })
    this.#fault = null
    const going: Going = { began_at: this.#now(), asked_by: askedBy, tried: 0, open: 0, ended: Promise.resolve() }
    this.#going = { ...going, ended: this.#drilled(going).finally(() => (this.#going = undefined)) }
  }

  async #drilled({ began_at, asked_by }: Going): Promise<void> {
    try {
      const answer = await runDrill(this.#options, { profile: undefined, cancelled: this.#closing.signal }, {
        profileBegan: () => undefined, controlEnded: () => undefined,
        lineEnded: ({ verdict }) => {
          if (this.#going === undefined) return
          this.#going.tried += 1
          if (verdict === 'open') this.#going.open += 1
        },
      })
      // What was cut short proves nothing, and must not take the place of a whole one.
      if (this.#closing.signal.aborted) this.#fault = 'the server ended before the drill did'
      else await this.#write('drill', StoredDrill.parse({ began_at, ended_at: this.#now(), asked_by, answer }))
    } catch (error) {
      this.#fault = error instanceof PortcullisError ? `${error.code}: ${error.found}` : 'an unexpected fault; the log of the server names it'
      this.#log.error({ part: 'drill', fault: error instanceof Error ? error.name : typeof error }, 'a drill gave no result')
      return
    }
  }

  /** Looks at everything a run would need, now. Throws what the doctor throws. */
  async examine(askedBy: string, soon: string): Promise<z.infer<typeof DoctorView>> {
    const began_at = this.#now()
    const answer = await examine(this.#options, { soon })
    await this.#write('doctor', StoredDoctor.parse({ began_at, ended_at: this.#now(), asked_by: askedBy, answer }))
    return this.doctor()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#going?.ended
  }

  #now(): string {
    return this.#options.clock().toISOString()
  }

  /** What is not there, is torn, or is not the file that the ledger names last shows nothing. */
  async #read<Shape extends z.ZodType>(check: Check, shape: Shape): Promise<{ readonly last: z.infer<Shape> | null; readonly tampered: string | null }> {
    await this.#writing
    const path = this.#pathOf(check)
    const named = await this.#acts.lastChecked(check)
    const content = existsSync(path) ? readFileSync(path) : undefined
    if (named === undefined) return { last: null, tampered: content === undefined ? null : `${LAST(check)} is there, and the ledger names none` }
    if (content === undefined) return { last: null, tampered: `${LAST(check)} is gone, and the ledger names ${named.slice(0, 12)}` }
    if (sha256(content) !== named) return { last: null, tampered: `${LAST(check)} is ${sha256(content).slice(0, 12)}, and the ledger names ${named.slice(0, 12)}` }
    return { last: shape.parse(JSON.parse(content.toString('utf8'))), tampered: null }
  }

  /** The file first: a server that ends in between leaves one that the ledger does not name, which shows nothing. */
  async #write(check: Check, value: unknown): Promise<void> {
    const path = this.#pathOf(check)
    const content = `${JSON.stringify(value, null, 2)}\n`
    writeFileSync(`${path}.new`, content, { mode: 0o600 })
    renameSync(`${path}.new`, path)
    const named = this.#acts.checked(check, sha256(content))
    this.#writing = named.then(() => undefined, () => undefined)
    await named
  }

  #pathOf(check: Check): string {
    return join(stateDirectoryOf(this.#options), LAST(check))
  }
}

const LAST = (check: Check): string => `last-${check}.json`
