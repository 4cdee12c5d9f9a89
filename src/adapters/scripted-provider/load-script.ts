import { readFile } from 'node:fs/promises'
import { type Document, isNode, LineCounter, parseDocument } from 'yaml'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import { printPath, problemsOf } from '../configuration/index.ts'
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
  const value = plainValue(document, name)
  const problems = problemsOf(ProviderScript, value)
  if (problems.length > 0) throw invalidScript(name, problems.map(({ path, message }) => `line ${lineOf(path, document, lines)}, ${printPath(path) || 'top level'}: ${message}`))
  return ProviderScript.parse(value)
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

/** The line of the deepest part of the path that the file really has: of a missing field, its parent's. */
function lineOf(path: readonly PropertyKey[], document: Document, lines: LineCounter): number {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
  }
  return 1
}
