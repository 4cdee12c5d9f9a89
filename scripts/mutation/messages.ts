import * as z from 'zod'

/** What the controller asks of a worker. */
export const Question = z.discriminatedUnion('kind', [
  /** Run the tests of these files on the source as it stands, and say of each what it reached. */
  z.strictObject({ kind: z.literal('baseline'), affected: z.array(z.string()), files: z.array(z.string()) }),
  /** Load `file` as `text` and run these tests, in this order, until one fails, each with its limit of CPU time. `affected` are the files whose modules must be loaded anew. */
  z.strictObject({ kind: z.literal('mutant'), file: z.string(), text: z.string(), affected: z.array(z.string()), tests: z.array(z.strictObject({ test: z.string(), limitMs: z.number() })) }),
])
export type Question = z.infer<typeof Question>
export type LimitedTest = Extract<Question, { kind: 'mutant' }>['tests'][number]

/** Where in a file something ran: [start, end, times], the innermost range counts. */
const Ranges = z.array(z.tuple([z.int(), z.int(), z.int()]))
export type Ranges = z.infer<typeof Ranges>

/** What ran, by file. */
const Reach = z.record(z.string(), Ranges)
export type Reach = z.infer<typeof Reach>

const TestRun = z.strictObject({ test: z.string(), elapsedMs: z.number(), failure: z.string().nullable(), reached: Reach })
export type TestRun = z.infer<typeof TestRun>

export const Answer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ready') }),
  z.strictObject({ kind: z.literal('baseline'), runs: z.array(TestRun), /** What ran while the files were loaded, before any test. */ loaded: z.array(Reach) }),
  z.strictObject({ kind: z.literal('mutant'), killedBy: z.string().nullable(), ran: z.int(), memoryBytes: z.number() }),
])
export type Answer = z.infer<typeof Answer>
