import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { AREAS } from '../adapters/doctor/index.ts'
import type { Log } from '../adapters/log/index.ts'
import { PortcullisError } from '../contract/errors.ts'
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

/** Where a drill stands. One that was cut off leaves the fault, never the look of one that closed everything. */
export const DrillView = z.strictObject({
  last: StoredDrill.nullable(),
  running: z.strictObject({ began_at: Instant, asked_by: z.string(), tried: z.int(), open: z.int() }).nullable(),
  fault: z.string().nullable().describe('Why the last one that was begun here gave no result.'),
})
export const DoctorView = z.strictObject({ last: StoredDoctor.nullable() })

const DRILL_FILE = 'last-drill.json'
const DOCTOR_FILE = 'last-doctor.json'

interface Going { readonly began_at: string; readonly asked_by: string; tried: number; open: number; readonly ended: Promise<void> }

/** Drill and doctor as a server runs them: the last result of each lies beside the ledger, and outlives the server. */
export class CheckDesk {
  readonly #options: AppOptions
  readonly #log: Log
  readonly #closing = new AbortController()
  #going: Going | undefined
  #fault: string | null = null

  constructor(options: AppOptions, log: Log) {
    this.#options = options
    this.#log = log
  }

  drill(): z.infer<typeof DrillView> {
    const going = this.#going
    return { last: this.#read(DRILL_FILE, StoredDrill), running: going === undefined ? null : { began_at: going.began_at, asked_by: going.asked_by, tried: going.tried, open: going.open }, fault: this.#fault }
  }

  doctor(): z.infer<typeof DoctorView> {
    return { last: this.#read(DOCTOR_FILE, StoredDoctor) }
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
      else this.#write(DRILL_FILE, StoredDrill.parse({ began_at, ended_at: this.#now(), asked_by, answer }))
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
    this.#write(DOCTOR_FILE, StoredDoctor.parse({ began_at, ended_at: this.#now(), asked_by: askedBy, answer }))
    return this.doctor()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#going?.ended
  }

  #now(): string {
    return this.#options.clock().toISOString()
  }

  /** Null for a file that is not there, and for one that is not a whole result: a torn one says nothing. */
  #read<Shape extends z.ZodType>(name: string, shape: Shape): z.infer<Shape> | null {
    const path = join(stateDirectoryOf(this.#options), name)
    if (!existsSync(path)) return null
    try {
      return shape.parse(JSON.parse(readFileSync(path, 'utf8')))
    } catch (error) {
      if (!(error instanceof SyntaxError) && !(error instanceof z.ZodError)) throw error
      return null
    }
  }

  #write(name: string, value: unknown): void {
    const path = join(stateDirectoryOf(this.#options), name)
    writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }
}
