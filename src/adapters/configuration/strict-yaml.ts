import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { PortcullisError, type ErrorCode } from '../../contract/errors.ts'
import type { Problem } from './problem.ts'
import { printPath } from './problem.ts'

const MAX_ALIASES = 50
const MAX_PROBLEMS = 50

/** A YAML file that holds exactly one document, with what is needed to say where in it something stands. */
export interface YamlDocument {
  readonly value: unknown
  /** `line:column` of a place, or of the nearest thing around it that is there. */
  positionOf(problem: Pick<Problem, 'path' | 'atName'>): string
}

/**
 * Reads YAML 1.2 and nothing else: a repeated key, a tag, a directive, a second document or `__proto__` is refused,
 * because each makes the reader of a review see another document than the program. Throws the given fault.
 */
export function readStrictYaml(text: string, file: string, fault: ErrorCode): YamlDocument {
  const lines = new LineCounter()
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${line}:${col}`
  }
  const document = parseDocument(text, { lineCounter: lines, stringKeys: true, resolveKnownTags: false, merge: false, version: '1.2', prettyErrors: false })
  const problems = [...document.errors, ...document.warnings].map((error) => `${file}:${at(error.pos[0])} ${EXPLAINED[error.code] ?? error.message}`)
  if (document.directives?.yaml.explicit === true || Object.keys(document.directives?.tags ?? {}).length > 1) problems.push(`${file}:1:1 directives (%YAML, %TAG) are not read here`)
  if (problems.length > 0) throw invalid(file, fault, problems)
  const reserved = reservedKeyAt(document)
  if (reserved !== undefined) throw invalid(file, fault, [`${file}:${at(reserved)} __proto__ is reserved`])
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES })
    return { value, positionOf: (problem) => at(offsetOf(document, problem)) }
  } catch (error) {
    // An alias without anchor, or more aliases than the limit.
    throw invalid(file, fault, [`${file}:1:1 its anchors and aliases cannot be followed (${error instanceof Error ? error.name : 'unknown error'}; at most ${MAX_ALIASES} are)`])
  }
}

const EXPLAINED: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this name stands twice in its table',
  TAG_RESOLVE_FAILED: 'tags (!…) are not read here',
  MULTIPLE_DOCS: 'a second document begins here; a file holds one',
  NON_STRING_KEY: 'a name must be plain text',
  RESOURCE_EXHAUSTION: 'nested too deeply',
}

/** Throws the fault with every problem of a document listed, each with its place. */
export function throwProblems(file: string, fault: ErrorCode, problems: readonly Problem[], document: YamlDocument): void {
  if (problems.length === 0) return
  const placed = problems.map((problem) => ({ problem, position: document.positionOf(problem) }))
  placed.sort((a, b) => a.position.localeCompare(b.position, 'en', { numeric: true }))
  throw invalid(file, fault, [...new Set(placed.map(({ problem, position }) => `${file}:${position} ${[printPath(problem.path), problem.message].filter((part) => part !== '').join(': ')}`))])
}

function invalid(file: string, fault: ErrorCode, problems: readonly string[]): PortcullisError {
  const shown = problems.slice(0, MAX_PROBLEMS)
  const more = problems.length > shown.length ? [`and ${problems.length - shown.length} more`] : []
  return new PortcullisError(fault, {
    asked: `a valid file at ${file}`,
    found: `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}\n${[...shown, ...more].map((problem) => `  ${problem}`).join('\n')}`,
    remedy: 'Correct the places named above; the published JSON Schema of the file says what may stand there.',
  })
}

function reservedKeyAt(document: Document): number | undefined {
  const waiting: unknown[] = [document.contents]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (isSeq(node)) waiting.push(...node.items)
    if (!isMap(node)) continue
    for (const { key, value } of node.items) {
      if (isScalar(key) && key.value === '__proto__') return key.range?.[0] ?? 0
      if (value !== null) waiting.push(value)
    }
  }
  return undefined
}

function offsetOf(document: Document, { path, atName }: Pick<Problem, 'path' | 'atName'>): number {
  let node: unknown = document.contents
  let offset = startOf(node) ?? 0
  for (const [index, step] of path.entries()) {
    const inner = isAlias(node) ? node.resolve(document) : node
    const pair = isMap(inner) ? inner.items.find(({ key }) => isScalar(key) && key.value === String(step)) : undefined
    const next = pair === undefined ? (isSeq(inner) && typeof step === 'number' ? inner.items[step] : undefined) : pair.value
    if (pair === undefined && next === undefined) return offset
    offset = (atName && index === path.length - 1 ? startOf(pair?.key) : undefined) ?? startOf(next) ?? startOf(pair?.key) ?? offset
    node = next
  }
  return offset
}

const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined)
const isNode = (value: unknown): value is Node => isScalar(value) || isMap(value) || isSeq(value) || isAlias(value)
