import * as z from 'zod'
import { digestOf } from './canonical.ts'
import { type Digest, Subject } from './verdict.ts'

const Subjects = z.array(Subject).min(1)

/** An in-toto Statement v1: what was observed about which subject. Evidence states facts; a verdict judges them. */
export const Statement = z.strictObject({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  subject: Subjects,
  predicateType: z.url(),
  predicate: z.record(z.string(), z.unknown()),
})

export interface Evidence<Fields = Readonly<Record<string, unknown>>> {
  readonly _type: 'https://in-toto.io/Statement/v1'
  readonly subject: readonly Subject[]
  readonly predicateType: string
  readonly predicate: Fields
}

/** At least one digest: what a pass must carry. */
export type Digests = readonly [Digest, ...Digest[]]

/** One kind of evidence: its public type and the schema of its facts. */
export interface Predicate<Fields> {
  readonly type: string
  readonly schema: z.ZodType<Fields>
  /** Makes a statement; throws ZodError if the facts do not fit, so that nothing invalid is ever stored (ACC-02). */
  state(subject: readonly Subject[], fields: Fields): Evidence<Fields>
  /** Reads a stored statement back. Undefined if it is of another type or its facts do not validate: the caller must deny. */
  read(statement: unknown): Evidence<Fields> | undefined
}

export function definePredicate<Fields>(type: string, schema: z.ZodType<Fields>): Predicate<Fields> {
  return {
    type,
    schema,
    state: (subject, fields) => ({
      _type: 'https://in-toto.io/Statement/v1',
      subject: Subjects.parse(subject),
      predicateType: type,
      predicate: schema.parse(fields),
    }),
    read: (statement) => {
      const outer = Statement.safeParse(statement)
      if (!outer.success || outer.data.predicateType !== type) return undefined
      const inner = schema.safeParse(outer.data.predicate)
      return inner.success ? { ...outer.data, predicate: inner.data } : undefined
    },
  }
}

/** Where a statement is stored: the digest of its canonical JSON (EVD-02). */
export const evidenceDigest = (statement: Evidence<unknown>): Digest => digestOf(statement)
