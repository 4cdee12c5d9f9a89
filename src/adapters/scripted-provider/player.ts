import type { Conversation } from './conversation.ts'
import { compilePattern, type Condition, type Fault, type ProviderScript, type ScriptedTurn } from './script.ts'

/** A row of the script that was chosen, with the name that the script's own errors use for it. */
export interface Chosen<Row> {
  readonly name: string
  readonly row: Row
}

/** Chooses from a script. Keeps only what a script can count: requests, and how often a fault has struck. */
export interface Player {
  /** The number of this inference request, from 1. Each call counts one. */
  nextRequest(): number
  turnFor(conversation: Conversation, request: number): Chosen<ScriptedTurn> | undefined
  /** The fault that strikes this request; counts the strike. */
  faultFor(conversation: Conversation, request: number): Chosen<Fault> | undefined
}

export function createPlayer(script: ProviderScript): Player {
  let requests = 0
  const strikes = new Map<number, number>()
  return {
    nextRequest: () => ++requests,
    turnFor(conversation, request) {
      const index = script.turns.findIndex(({ when }) => matches(when, conversation, request))
      const row = script.turns[index]
      return row === undefined ? undefined : { name: `turns[${index}]`, row: filled(row, conversation) }
    },
    faultFor(conversation, request) {
      const rules = script.faults ?? []
      const index = rules.findIndex(({ on, times }, at) => (strikes.get(at) ?? 0) < (times ?? Infinity) && matches(on, conversation, request))
      const rule = rules[index]
      if (rule === undefined) return undefined
      strikes.set(index, (strikes.get(index) ?? 0) + 1)
      return { name: `faults[${index}]`, row: rule.fault }
    },
  }
}

/** Every field that is given must hold. */
export function matches(condition: Condition, conversation: Conversation, request: number): boolean {
  return (
    (condition.turn === undefined || condition.turn === conversation.turn) &&
    (condition.request === undefined || condition.request === request) &&
    (condition.offersTool === undefined || conversation.tools.includes(condition.offersTool)) &&
    matchesText(condition.lastUser, conversation.lastUser) &&
    matchesText(condition.lastTool, conversation.lastTool)
  )
}

const matchesText = (pattern: string | undefined, text: string | null): boolean => pattern === undefined || (text !== null && compilePattern(pattern).test(text))

/** The turn with what the named groups of its patterns found in place of `${name}`, wherever a text of its answer says so. */
function filled(turn: ScriptedTurn, { lastUser, lastTool }: Conversation): ScriptedTurn {
  const found = new Map([...groupsIn(turn.when.lastUser, lastUser), ...groupsIn(turn.when.lastTool, lastTool)])
  if (found.size === 0) return turn
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') return fillText(value)
    if (Array.isArray(value)) return value.map(fill)
    return typeof value === 'object' && value !== null ? fillAll(value) : value
  }
  const fillText = (text: string): string => text.replace(/\$\{(\w+)\}/g, (whole, name: string) => found.get(name) ?? whole)
  const fillAll = (values: object): Record<string, unknown> => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, fill(value)]))
  const { text, toolCalls } = turn.answer
  return {
    ...turn,
    answer: {
      ...turn.answer,
      ...(text === undefined ? {} : { text: fillText(text) }),
      ...(toolCalls === undefined ? {} : { toolCalls: toolCalls.map((call) => ({ ...call, arguments: fillAll(call.arguments) })) }),
    },
  }
}

/** Only groups that took part in the match: a name that found nothing stays as it stands. */
function groupsIn(pattern: string | undefined, text: string | null): [string, string][] {
  if (pattern === undefined || text === null) return []
  const groups: Readonly<Record<string, string | undefined>> = compilePattern(pattern).exec(text)?.groups ?? {}
  return Object.entries(groups).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
}

/** What to tell a client whose conversation no turn matches: all that a condition could have named. */
export function describeUnmatched(conversation: Conversation, request: number): string {
  const quote = (text: string | null): string => (text === null ? 'none' : JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text))
  return [
    `The script has no turn for this conversation: turn ${conversation.turn}, request ${request}`,
    `last user message ${quote(conversation.lastUser)}`,
    `tool results ${quote(conversation.lastTool)}`,
    `tools offered: ${conversation.tools.length === 0 ? 'none' : conversation.tools.join(', ')}.`,
  ].join('; ')
}

/** A fault in a few words, for the log of requests. */
export function describeFault(fault: Fault): string {
  return Object.entries(fault)
    .map(([name, value]) => (value === true ? name : `${name} ${value}`))
    .join(', ')
}
