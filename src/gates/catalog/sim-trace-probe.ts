import * as z from 'zod'
import { JsonShape } from './json-shape.ts'
import { ProbeCommand, ProbeEnvironment, ProbeTimeout, VariableName } from './probe-parts.ts'

/** A simulation with more ticks is asked too much of: its trace has to be read while it is printed. */
export const TICKS_AT_MOST = 100_000
/** Changes and invariants that a record can still hold whole. */
export const CLAIMS_AT_MOST = 30

/** A place in a state, as a JSON pointer (RFC 6901). The whole state is no place: that it changes says nothing of what does. */
const Place = z.string().max(200).regex(/^(?:\/(?:[^~/]|~[01])*)+$/, 'expected a JSON pointer, as in /player/energy')

export const RequiredChange = z.strictObject({
  at: Place.describe('Where in the state, as a JSON pointer.'),
  change: z.enum(['increases', 'decreases', 'differs']).describe('What must become of the value from one tick to the next.'),
  times: z.int().positive().max(TICKS_AT_MOST).describe('At how many ticks at least.'),
})
export type RequiredChange = z.infer<typeof RequiredChange>

export const Invariant = z
  .strictObject({
    at: Place.describe('Where in the state, as a JSON pointer.'),
    shape: JsonShape.optional().describe('What the value looks like in every state.'),
    order: z.enum(['never-decreases', 'never-increases', 'constant']).optional().describe('How it may change from one tick to the next.'),
  })
  .refine(({ shape, order }) => shape !== undefined || order !== undefined, 'expected shape or order: an invariant of nothing in particular holds always')
export type Invariant = z.infer<typeof Invariant>

/**
 * A program that prints its states (ACC-52): one JSON line before the first tick and one after each, as in
 * `{"tick":0,"state":{…}}`, and then ends by itself. It is run twice, and both traces must be the same.
 */
export const SimTraceProbe = z
  .strictObject({
    kind: z.literal('sim_trace'),
    command: ProbeCommand,
    timeout: ProbeTimeout,
    seed: z.strictObject({ variable: VariableName, value: z.int().nonnegative().max(2 ** 32 - 1) }).describe('The seed, and the environment variable in which the program is told it.'),
    ticks: z.strictObject({ variable: VariableName, count: z.int().positive().max(TICKS_AT_MOST) }).describe('How many ticks, and the environment variable in which the program is told so.'),
    changes: z.array(RequiredChange).min(1).max(CLAIMS_AT_MOST).describe('What must happen at least. A simulation in which nothing happens proves nothing.'),
    invariants: z.array(Invariant).max(CLAIMS_AT_MOST).optional().describe('What must hold in every state.'),
    golden: z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256, in 64 lower-case hex digits').optional().describe('The digest that the trace must have. The record of a probe shows the one that it has.'),
    environment: ProbeEnvironment.optional(),
  })
  .check((context) => {
    const { seed, ticks, changes } = context.value
    if (seed.variable === ticks.variable) context.issues.push({ code: 'custom', path: ['ticks', 'variable'], input: ticks.variable, message: 'expected another variable than that of the seed' })
    const often = changes.findIndex(({ times }) => times > ticks.count)
    if (often >= 0) context.issues.push({ code: 'custom', path: ['changes', often, 'times'], input: changes[often]?.times, message: 'expected at most as many times as there are ticks' })
  })
export type SimTraceProbe = z.infer<typeof SimTraceProbe>
