import { isFunctionDeclaration, isMethodDeclaration, isPropertyAssignment, isTypeNode, isVariableDeclaration, type Node, type SourceFile, SyntaxKind } from 'typescript/unstable/ast'
import { applyMutant, digestOf, type Mutant } from './mutant.ts'
import { isWording, PROPOSALS } from './operators.ts'
import { type ParsedFile, returnTypeOf } from './syntax.ts'

const NOT_RUN = new Set<SyntaxKind>([SyntaxKind.ImportDeclaration, SyntaxKind.ExportDeclaration, SyntaxKind.InterfaceDeclaration, SyntaxKind.TypeAliasDeclaration])
const FUNCTIONS = new Set<SyntaxKind>([SyntaxKind.ArrowFunction, SyntaxKind.FunctionDeclaration, SyntaxKind.FunctionExpression, SyntaxKind.MethodDeclaration, SyntaxKind.GetAccessor, SyntaxKind.SetAccessor, SyntaxKind.Constructor])

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim()

const nameOf = (node: Node, source: SourceFile): string | undefined =>
  isFunctionDeclaration(node) || isMethodDeclaration(node) || isVariableDeclaration(node) || isPropertyAssignment(node) ? node.name?.getText(source) : undefined

/** Every mutant of a file, in the order of the text; two operators that make the same text make one mutant. */
export function mutantsOf({ file, text, source, checker }: ParsedFile): Mutant[] {
  const made = new Map<string, Mutant>()
  const occurrences = new Map<string, number>()
  const lines = lineStarts(text)
  const place = { source, returnType: (node: Node) => returnTypeOf(node, checker) }

  const visit = (node: Node, scope: readonly string[], inFunction: boolean): void => {
    if (NOT_RUN.has(node.kind) || isTypeNode(node) || isWording(node, source)) return
    const name = nameOf(node, source)
    const inner = name === undefined ? scope : [...scope, name]
    const within = inFunction || FUNCTIONS.has(node.kind)
    for (const { operator, start, end, to } of PROPOSALS.flatMap((propose) => propose(node, place))) {
      const result = digestOf(applyMutant(text, { start, end, replacement: to }))
      if (made.has(result)) continue
      const change = { file, scope: inner.join('.'), operator, from: oneLine(text.slice(start, end)), to: oneLine(to) }
      const key = digestOf(...Object.values(change))
      const occurrence = (occurrences.get(key) ?? 0) + 1
      occurrences.set(key, occurrence)
      made.set(result, { id: digestOf(key, String(occurrence)).slice(0, 12), ...change, line: lineAt(lines, start), occurrence, start, end, replacement: to, inFunction: within })
    }
    node.forEachChild((child) => visit(child, inner, within))
  }
  visit(source, [], false)
  return [...made.values()].toSorted((one, other) => one.start - other.start)
}

function lineStarts(text: string): number[] {
  return [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)]
}

const lineAt = (starts: readonly number[], position: number): number => starts.findLastIndex((start) => start <= position) + 1
