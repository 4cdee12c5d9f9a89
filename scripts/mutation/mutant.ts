import { createHash } from 'node:crypto'

/** One small change to one file, which a test must notice. */
export interface Mutant {
  /** Names the change whatever stands above it: file, enclosing declarations, operator, both texts, and which of several that are alike. */
  readonly id: string
  /** Path below the root, with forward slashes. */
  readonly file: string
  readonly line: number
  /** The declarations around it, outermost first. */
  readonly scope: string
  readonly operator: Operator
  readonly from: string
  readonly to: string
  /** Which of the changes of this file with the same scope, operator and texts; the first is 1. */
  readonly occurrence: number
  readonly start: number
  readonly end: number
  readonly replacement: string
  /** Whether it stands in a function, so that a test can reach it or not; what does not runs when the file is loaded. */
  readonly inFunction: boolean
}

/** What each kind of change does to a check. Each would, somewhere, let pass what must not. */
export const OPERATORS = {
  condition: 'a condition is always true, or always false',
  logic: 'one side of && or of || alone',
  coalesce: 'one side of ?? alone: the first fault found hides, or is hidden',
  relation: '< for <=, > for >=, and the reverse',
  equality: '=== for !==, and the reverse',
  not: 'a ! removed',
  quantifier: 'every for some, and the reverse',
  membership: 'a test of membership, of a prefix or of a pattern is always true, or always false',
  outcome: 'a block or an abstention becomes a pass that does not expire',
  statement: 'a statement of a check removed: a call, a throw, an assignment',
  element: 'an element removed from a list of findings',
  return: 'a function returns at once what an unobjectionable input gives',
  catch: 'a catch is emptied',
  schema: 'a limit, pattern or refinement of a schema removed',
  extreme: 'the larger for the smaller, and the reverse',
  filter: 'a filter removed',
  anchor: 'a pattern without its beginning or its end',
} as const
export type Operator = keyof typeof OPERATORS

export const isOperator = (name: string): name is Operator => Object.hasOwn(OPERATORS, name)

/** The text with the change made. */
export const applyMutant = (text: string, mutant: Pick<Mutant, 'start' | 'end' | 'replacement'>): string => text.slice(0, mutant.start) + mutant.replacement + text.slice(mutant.end)

export const digestOf = (...parts: readonly string[]): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}:${part}`)
  return hash.digest('hex')
}

/** The folder a score is given for: `src/contract`, or one gate. */
export const folderOf = (file: string): string => /^src\/(?:contract|gates\/[^/]+)/.exec(file)?.[0] ?? file.slice(0, file.lastIndexOf('/'))

/** `file:line  operator  from → to`, as people read it. */
export const describeMutant = ({ file, line, operator, from, to, scope }: Mutant): string => `${file}:${line}  ${operator}  in ${scope === '' ? 'the file' : scope}\n      - ${from}\n      + ${to === '' ? '(nothing)' : to}`
