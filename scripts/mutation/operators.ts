import {
  isArrayLiteralExpression, isArrowFunction, isBinaryExpression, isBlock, isCallExpression, isCatchClause, isConditionalExpression, isDoStatement, isExpressionStatement, isFunctionDeclaration, isFunctionExpression,
  isIdentifier, isIfStatement, isMethodDeclaration, isObjectLiteralExpression, isParenthesizedExpression, isPrefixUnaryExpression, isPropertyAccessExpression, isPropertyAssignment, isRegularExpressionLiteral, isSpreadElement, isStringLiteral,
  isStringLiteralLikeNode, isTemplateExpression, isThrowStatement, isWhileStatement, type Node, type SourceFile, SyntaxKind,
} from 'typescript/unstable/ast'
import type { Operator } from './mutant.ts'

/** A change that an operator proposes for a node: the text of `node`, or of a part of it, gives way to `to`. */
export interface Change {
  readonly operator: Operator
  readonly start: number
  readonly end: number
  readonly to: string
}

/** What an operator may know of the node. */
export interface Place {
  readonly source: SourceFile
  /** The type that a function returns, as the compiler prints it. */
  returnType(node: Node): string
}

type Propose = (node: Node, place: Place) => readonly Change[]

/** Later than any verdict can be: a pass that never expires. */
const FOR_EVER = 'new Date(8_640_000_000_000_000)'

const SWAPPED = new Map<SyntaxKind, { readonly operator: Operator; readonly to: string }>([
  [SyntaxKind.AmpersandAmpersandToken, { operator: 'logic', to: '||' }],
  [SyntaxKind.BarBarToken, { operator: 'logic', to: '&&' }],
  [SyntaxKind.LessThanToken, { operator: 'relation', to: '<=' }],
  [SyntaxKind.LessThanEqualsToken, { operator: 'relation', to: '<' }],
  [SyntaxKind.GreaterThanToken, { operator: 'relation', to: '>=' }],
  [SyntaxKind.GreaterThanEqualsToken, { operator: 'relation', to: '>' }],
  [SyntaxKind.EqualsEqualsEqualsToken, { operator: 'equality', to: '!==' }],
  [SyntaxKind.ExclamationEqualsEqualsToken, { operator: 'equality', to: '===' }],
])

const MEMBERSHIP = new Set(['includes', 'has', 'startsWith', 'endsWith', 'test', 'hasOwn'])
const SCHEMA_CHECKS = new Set(['min', 'max', 'length', 'regex', 'refine', 'superRefine', 'check', 'nonempty', 'positive', 'nonnegative', 'int', 'finite', 'multipleOf', 'gt', 'gte', 'lt', 'lte'])
const QUANTIFIERS: Readonly<Record<string, string>> = { every: 'some', some: 'every' }
const EXTREMES: Readonly<Record<string, string>> = { min: 'max', max: 'min' }

const whole = (node: Node, { source }: Place, operator: Operator, ...texts: readonly string[]): Change[] => texts.map((to) => ({ operator, start: node.getStart(source), end: node.end, to }))

const condition: Propose = (node, place) => {
  // A loop that never ends proves nothing but that it does not end; a loop that never begins skips what it checks.
  if (isWhileStatement(node) || isDoStatement(node)) return whole(node.expression, place, 'condition', 'false')
  const asked = isIfStatement(node) ? node.expression : isConditionalExpression(node) ? node.condition : undefined
  return asked === undefined ? [] : whole(asked, place, 'condition', 'true', 'false')
}

const binary: Propose = (node, place) => {
  if (!isBinaryExpression(node)) return []
  const { source } = place
  const [left, right] = [node.left.getText(source), node.right.getText(source)]
  const kind = node.operatorToken.kind
  if (kind === SyntaxKind.QuestionQuestionToken) return whole(node, place, 'coalesce', `(${left})`, `(${right})`)
  const swapped = SWAPPED.get(kind)
  if (swapped === undefined) return []
  const { operator, to } = swapped
  if (operator === 'logic') return whole(node, place, 'logic', `(${left})`, `(${right})`)
  return operator === 'equality' && isDecided(node) ? [] : whole(node, place, operator, `${left} ${to} ${right}`)
}

/**
 * Whether the node is a condition, or one side of && or ||. There it is always true in one mutant and always false in another, and a test
 * that tells either from the source tells its negation, too: so none is made. In the same way && for || is told by what tells one side alone.
 */
function isDecided(node: Node): boolean {
  const { parent } = node
  if (isParenthesizedExpression(parent) || isPrefixUnaryExpression(parent)) return isDecided(parent)
  if (isBinaryExpression(parent)) return SWAPPED.get(parent.operatorToken.kind)?.operator === 'logic'
  return (isIfStatement(parent) && parent.expression === node) || (isConditionalExpression(parent) && parent.condition === node)
}

const not: Propose = (node, place) => (isPrefixUnaryExpression(node) && node.operator === SyntaxKind.ExclamationToken && !isDecided(node) ? whole(node, place, 'not', node.operand.getText(place.source)) : [])

const call: Propose = (node, place) => {
  if (!isCallExpression(node) || !isPropertyAccessExpression(node.expression)) return []
  const { expression: receiver, name } = node.expression
  const [object, method] = [receiver.getText(place.source), name.getText(place.source)]
  const renamed = (operator: Operator, to: string): Change[] => [{ operator, start: name.getStart(place.source), end: name.end, to }]
  if (Object.hasOwn(QUANTIFIERS, method)) return renamed('quantifier', QUANTIFIERS[method] ?? '')
  if (object === 'Math') return Object.hasOwn(EXTREMES, method) ? renamed('extreme', EXTREMES[method] ?? '') : []
  if (object === 'z' && method === 'strictObject') return renamed('schema', 'looseObject')
  if (object === 'z' && method === 'int') return renamed('schema', 'number')
  if (MEMBERSHIP.has(method)) return isDecided(node) ? [] : whole(node, place, 'membership', 'true', 'false')
  if (SCHEMA_CHECKS.has(method)) return whole(node, place, 'schema', object)
  if (method === 'filter') return whole(node, place, 'filter', object)
  return []
}

const outcome: Propose = (node, place) => {
  if (!isObjectLiteralExpression(node)) return []
  const refuses = node.properties.some((property) => isPropertyAssignment(property) && property.name.getText(place.source) === 'outcome' && isStringLiteralLikeNode(property.initializer) && ['block', 'abstain'].includes(property.initializer.text))
  return refuses ? whole(node, place, 'outcome', `({ evidence: [], ...${node.getText(place.source)}, outcome: 'pass', expiresAt: ${FOR_EVER} })`) : []
}

const statement: Propose = (node, place) => {
  if (!isThrowStatement(node) && !isExpressionStatement(node)) return []
  return whole(node, place, 'statement', ';')
}

/** A literal word in a list is data; a finding comes from a call, a condition or a spread. */
const element: Propose = (node, place) => {
  if (!isArrayLiteralExpression(node)) return []
  return node.elements.flatMap((each, index) => {
    const finds = isSpreadElement(each) || isCallExpression(each) || isConditionalExpression(each) || isBinaryExpression(each) || isObjectLiteralExpression(each)
    if (!finds) return []
    const next = node.elements[index + 1]
    return [{ operator: 'element' as const, start: each.getStart(place.source), end: next === undefined ? each.end : next.getStart(place.source), to: '' }]
  })
}

/** What a function gives for an input with which nothing is wrong, by the type it returns; a function of another type has no such answer. */
function innocent(returnType: string): string[] {
  const union = returnType.split(' | ')
  if (returnType === 'boolean' || / is /.test(returnType)) return ['true', 'false']
  if (union.includes('undefined')) return ['undefined']
  if (union.includes('null')) return ['null']
  if (/^(?:readonly )?(?:[\w.]+|\(.*\)|\{.*\})\[\]$/.test(returnType)) return ['[]']
  return returnType === 'void' ? [''] : []
}

const earlyReturn: Propose = (node, place) => {
  if (!isArrowFunction(node) && !isFunctionDeclaration(node) && !isFunctionExpression(node) && !isMethodDeclaration(node)) return []
  const { body } = node
  if (body === undefined) return []
  const values = innocent(place.returnType(node))
  const start = body.getStart(place.source)
  if (isBlock(body)) return values.map((value) => ({ operator: 'return', start, end: start + 1, to: `{ return ${value};` }))
  return values.map((value) => ({ operator: 'return', start, end: body.end, to: value === '' ? '{}' : value }))
}

const emptied: Propose = (node, place) => (isCatchClause(node) && node.block.statements.length > 0 ? whole(node.block, place, 'catch', '{}') : [])

const anchor: Propose = (node, place) => {
  if (!isRegularExpressionLiteral(node)) return []
  const text = node.getText(place.source)
  const close = text.lastIndexOf('/')
  const [pattern, flags] = [text.slice(1, close), text.slice(close)]
  const begun = pattern.startsWith('^') ? [`/${pattern.slice(1)}${flags}`] : []
  const ended = pattern.endsWith('$') && !pattern.endsWith('\\$') ? [`/${pattern.slice(0, -1)}${flags}`] : []
  return [...begun, ...ended].filter((each) => !each.startsWith('//')).flatMap((each) => whole(node, place, 'anchor', each))
}

export const PROPOSALS: readonly Propose[] = [condition, binary, not, call, outcome, statement, element, earlyReturn, emptied, anchor]

/** The words of a refusal: a change there changes what people read, never what is decided. */
const WORDS = new Set(['message', 'asked', 'found', 'remedy', 'title', 'description'])

/** Whether the node only says something, as a sentence of a refusal or a text with values put in: nothing is mutated below it. A schema of such words is none. */
export const isWording = (node: Node, source: SourceFile): boolean =>
  isTemplateExpression(node) || (isPropertyAssignment(node) && (isIdentifier(node.name) || isStringLiteral(node.name)) && WORDS.has(node.name.getText(source)) && !node.initializer.getText(source).startsWith('z.'))
