import { readFile } from 'node:fs/promises'
import { type Document, isNode, LineCounter, parseDocument } from 'yaml'
import * as z from 'zod'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import { ProviderScript } from './script.ts'

/** Reads a script, YAML or JSON. Throws `file_missing`, `file_unreadable` or `script_invalid`; the last lists every problem with its line. */
export async function loadScript(path: string): Promise<ProviderScript> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    const missing = systemCode(cause) === 'ENOENT'
    throw new PortcullisError(missing ? 'file_missing' : 'file_unreadable', {
      asked: `the script ${path}`,
      found: missing ? `no file ${path}` : `${path} cannot be read (${systemCode(cause) ?? 'unknown error'})`,
      remedy: missing ? 'Name an existing script; examples/slugify/script.yaml is one.' : `Make ${path} a file that you may read.`,
      cause,
    })
  }
  return parseScript(text, path)
}

/** Reads a script from its text, YAML or JSON. `name` is how errors call it. Throws `script_invalid` with every problem found. */
export function parseScript(text: string, name = 'the script'): ProviderScript {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const syntax = document.errors.map((error) => `line ${error.linePos?.[0].line ?? 1}: ${error.message.split('\n')[0] ?? error.code}`)
  if (syntax.length > 0) throw invalidScript(name, syntax)
  const script = ProviderScript.safeParse(plainValue(document, name))
  if (!script.success) throw invalidScript(name, script.error.issues.map((issue) => describeIssue(issue, document, lines)))
  return script.data
}

/** An alias that points nowhere, or that multiplies into gigabytes, is found only when the values are made. */
function plainValue(document: Document, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    throw invalidScript(name, [error instanceof Error ? error.message : 'its aliases cannot be resolved'])
  }
}

function invalidScript(name: string, problems: readonly string[]): PortcullisError {
  return new PortcullisError('script_invalid', {
    asked: `${name} as a script of the scripted provider`,
    found: problems.join('\n'),
    remedy: 'Mend the lines named. Every field is described in spec/provider-script.schema.json; examples/slugify/script.yaml is a whole script.',
  })
}

function describeIssue(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): string {
  const place = `line ${lineOf(issue.path, document, lines)}, ${printPath(issue.path)}`
  if (issue.code !== 'unrecognized_keys') return `${place}: ${issue.message}`
  const known = fieldsAt(ProviderScript, issue.path)
  return issue.keys
    .map((key) => {
      const nearest = nearestField(key, known)
      const hint = nearest === undefined ? `known here are ${known.join(', ')}` : `did you mean \`${nearest}\`?`
      return `line ${lineOf([...issue.path, key], document, lines)}, ${printPath(issue.path)}: unknown field \`${key}\`; ${hint}`
    })
    .join('\n')
}

function printPath(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'top level'
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`)).join('')
}

/** The line of the deepest part of the path that the file really has: of a missing field, its parent's. */
function lineOf(path: readonly PropertyKey[], document: Document, lines: LineCounter): number {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
  }
  return 1
}

/** The fields that the schema knows at a place of the file. */
function fieldsAt(schema: unknown, [part, ...rest]: readonly PropertyKey[]): readonly string[] {
  if (schema instanceof z.ZodOptional) return fieldsAt(schema.unwrap(), part === undefined ? [] : [part, ...rest])
  if (schema instanceof z.ZodArray) return fieldsAt(schema.element, rest)
  if (!(schema instanceof z.ZodObject)) return []
  return part === undefined ? Object.keys(schema.shape) : fieldsAt(schema.shape[String(part)], rest)
}

/** The known field that is at most a third of its length away, or that the unknown one is a part of. */
function nearestField(unknown: string, known: readonly string[]): string | undefined {
  const lower = unknown.toLowerCase()
  const ranked = known.map((field) => ({ field, distance: editDistance(lower, field.toLowerCase()) })).sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  if (best !== undefined && best.distance <= Math.max(1, Math.floor(unknown.length / 3))) return best.field
  return lower.length < 3 ? undefined : known.find((field) => field.toLowerCase().includes(lower))
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_unused, index) => index)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}
