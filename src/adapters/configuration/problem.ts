import * as z from 'zod'
import { knownSecretFormat, printName, secretLikeValue } from '../../contract/secret-like.ts'

/** Something wrong with a document: where, and what was expected and found. Never quotes what looks like a secret. */
export interface Problem {
  readonly path: readonly PropertyKey[]
  readonly message: string
  /** True if the name at the end of the path is at fault, false if it is its value. */
  readonly atName: boolean
}

export const problemAt = (path: readonly PropertyKey[], message: string): Problem => ({ path, message, atName: false })

/** Every fault that a schema finds in a document, in words. */
export function problemsOf(schema: z.ZodType, document: unknown): Problem[] {
  const parsed = schema.safeParse(document)
  return parsed.success ? [] : parsed.error.issues.flatMap((issue) => describe(issue, document, schema))
}

/** `providers.anthropic.dialect`, or the empty text for the whole document. */
export const printPath = (path: readonly PropertyKey[]): string => path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${printName(String(part))}`)).join('').replace(/^\./, '')

function describe(issue: z.core.$ZodIssue, document: unknown, schema: z.ZodType): Problem[] {
  const { path } = issue
  const value = valueAt(document, path)
  const found = `; found ${printValue(value)}`
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], message: `unknown field${suggest(key, knownFields(schema, path))}`, atName: true }))
    case 'invalid_type':
      // A schema that says itself what it expects knows better than the name of a type.
      if (!issue.message.startsWith(ZOD_WORDS)) return [problemAt(path, `${issue.message}${found}`)]
      return [problemAt(path, `expected ${KINDS[issue.expected] ?? issue.expected}${found}${issue.expected === 'string' && typeof value === 'number' ? ' (write it in quotes)' : ''}`)]
    case 'invalid_value':
      return [problemAt(path, `expected ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map((option) => JSON.stringify(option)).join(', ')}${found}`)]
    case 'invalid_union':
      return [problemAt(path, `expected ${'options' in issue && Array.isArray(issue.options) ? `one of ${issue.options.map(String).join(', ')}` : 'another form'}${found}`)]
    case 'invalid_key':
      return [{ path, message: `not a valid name: ${issue.issues.map((inner) => inner.message).join(', ')}`, atName: true }]
    case 'custom':
    case 'invalid_element':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'too_big':
    case 'too_small':
      return [problemAt(path, `${issue.message}${found}`)]
  }
}

/** How zod begins what it says where a schema has no words of its own. */
const ZOD_WORDS = 'Invalid input'

const KINDS: Readonly<Record<string, string>> = { string: 'text', object: 'a table', record: 'a table', array: 'a list', int: 'a whole number', number: 'a number', boolean: 'true or false' }

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, part) => (typeof value === 'object' && value !== null && Object.hasOwn(value, part) ? Reflect.get(value, part) : undefined), document)
}

function printValue(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'nothing (null)'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'a table'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  if (secretLikeValue(text) !== undefined) return 'a value that looks like a secret (withheld)'
  return typeof value === 'string' ? JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text) : text
}

/** Where a document holds a credential in a well-known format. Names of where to find one are not credentials. */
export function secretsIn(document: unknown): Problem[] {
  const problems: Problem[] = []
  const visit = (value: unknown, path: readonly PropertyKey[]): void => {
    if (typeof value === 'string') {
      const kind = knownSecretFormat(value)
      if (kind !== undefined) problems.push(problemAt(path, `holds what looks like ${kind}; name where it is kept, never the value`))
    } else if (Array.isArray(value)) value.forEach((member, index) => visit(member, [...path, index]))
    else if (typeof value === 'object' && value !== null) for (const [name, member] of Object.entries(value)) visit(member, [...path, name])
  }
  visit(document, [])
  return problems
}

const JsonSchemaPart = z.object({
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
})

/** Names of the fields that a schema knows at a place. Read from its JSON Schema, which is the published form of it. */
function knownFields(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let parts: unknown[] = [z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })]
  for (const step of path) {
    parts = parts.flatMap(alternatives).flatMap((part) => {
      const next = typeof step === 'number' ? part.items : (part.properties?.[String(step)] ?? part.additionalProperties)
      return next === undefined ? [] : [next]
    })
  }
  return [...new Set(parts.flatMap(alternatives).flatMap((part) => Object.keys(part.properties ?? {})))].filter((name) => name !== '$schema')
}

function alternatives(part: unknown): z.infer<typeof JsonSchemaPart>[] {
  const parsed = JsonSchemaPart.safeParse(part)
  if (!parsed.success) return []
  return [parsed.data, ...[...(parsed.data.anyOf ?? []), ...(parsed.data.oneOf ?? [])].flatMap(alternatives)]
}

/** `; did you mean "model"?`, or the list of what is known. */
export function suggest(name: string, known: readonly string[]): string {
  const [nearest] = known.map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) })).sort((a, b) => a.distance - b.distance)
  if (nearest !== undefined && nearest.distance <= Math.max(2, Math.floor(name.length / 3))) return `; did you mean ${nearest.candidate}?`
  const part = name.length < 3 ? undefined : known.find((candidate) => candidate.toLowerCase().includes(name.toLowerCase()))
  if (part !== undefined) return `; did you mean ${part}?`
  return known.length === 0 ? '' : `; known here: ${known.slice(0, 20).join(', ')}`
}

/** Levenshtein distance, for names; longer ones than 100 characters are cut. */
function editDistance(a: string, b: string): number {
  const [left, right] = [a.slice(0, 100), b.slice(0, 100)]
  let row = Array.from({ length: right.length + 1 }, (_unused, index) => index)
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= right.length; j += 1) {
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[right.length] ?? 0
}
