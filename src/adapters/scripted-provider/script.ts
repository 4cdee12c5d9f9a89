import * as z from 'zod'
import { Duration } from '../../contract/units.ts'

const Pattern = z
  .string()
  .min(1)
  .refine(isRegularExpression, 'expected a regular expression')

const Counter = z.int().positive()
const Flag = z.literal(true)

/**
 * What must be true of a request. Every field that is given must hold; at least one must be given, because an empty
 * condition would match by accident. `always` stands alone, so that nobody reads a second field as a restriction.
 */
export const Condition = z
  .strictObject({
    always: Flag.optional().describe('Matches every request. Stands alone.'),
    turn: Counter.optional().describe('The number of answers of the assistant in the conversation so far, plus 1. The first request of a conversation is turn 1.'),
    request: Counter.optional().describe('The number of the request since the provider started, counted over inference requests only, from 1.'),
    offersTool: z.string().min(1).optional().describe('A tool of this name is offered.'),
    lastUser: Pattern.optional().describe('A regular expression that the text of the last user message matches.'),
    lastTool: Pattern.optional().describe('A regular expression that the text of the last tool results matches. Holds only while the assistant has not answered them.'),
  })
  .refine((condition) => Object.keys(condition).length > 0, 'expected at least one of always, turn, request, offersTool, lastUser, lastTool')
  .refine((condition) => condition.always === undefined || Object.keys(condition).length === 1, 'expected `always` alone: it already matches every request')
export type Condition = z.infer<typeof Condition>

export const ScriptedToolCall = z.strictObject({
  name: z.string().min(1).describe('The name of the tool, as the agent offers it.'),
  arguments: z.record(z.string(), z.unknown()).describe('The arguments, as the schema of the tool wants them. `${name}` in them stands for what a group of this name found in the patterns of `when`.'),
})
export type ScriptedToolCall = z.infer<typeof ScriptedToolCall>

export const ScriptedUsage = z.strictObject({ inputTokens: z.int().nonnegative(), outputTokens: z.int().nonnegative() })

export const ScriptedAnswer = z
  .strictObject({
    text: z.string().min(1).optional().describe('What the model says. `${name}` stands for what a group of this name found in the patterns of `when`.'),
    toolCalls: z.array(ScriptedToolCall).min(1).optional().describe('The tools that the model asks for, in this order, after its text.'),
    usage: ScriptedUsage.optional().describe('The token counts to report. Left out, they follow from the length of the texts: one token for four characters.'),
  })
  .refine((answer) => answer.text !== undefined || answer.toolCalls !== undefined, 'expected `text`, `toolCalls` or both: an empty answer is no answer')
export type ScriptedAnswer = z.infer<typeof ScriptedAnswer>

export const ScriptedTurn = z.strictObject({
  when: Condition,
  answer: ScriptedAnswer,
})
export type ScriptedTurn = z.infer<typeof ScriptedTurn>

/** Ways to fail that replace the answer; a fault has at most one of them. */
const REPLACING = ['status', 'hang', 'stall', 'cut', 'unfinished', 'garbage'] as const

/** What goes wrong. `slow`, `echoKey`, `servedModel` and `noModel` change an answer and can be combined, with one of the others too. */
export const Fault = z
  .strictObject({
    status: z.int().min(400).max(599).optional().describe('Answers with this status and an error in the shape of the dialect: 401, 404 (model not found), 429, 500, 529 ...'),
    retryAfter: z.int().nonnegative().optional().describe('Seconds, sent as Retry-After. Only together with `status`.'),
    hang: Flag.optional().describe('Takes the request and never answers.'),
    stall: Flag.optional().describe('Sends half of the answer, then nothing, and keeps the connection open.'),
    cut: Flag.optional().describe('Sends half of the answer, then destroys the connection.'),
    unfinished: Flag.optional().describe('Ends the answer in good order, but without its end: a stream without its last event, JSON cut in the middle.'),
    garbage: Flag.optional().describe('Answers 200 with a body that is not JSON; for a stream, with an event that is not.'),
    servedModel: z.string().min(1).optional().describe('Names this model in the answer, whatever was asked.'),
    noModel: Flag.optional().describe('Names no model in the answer.'),
    slow: Duration.optional().describe('Waits this long before each event of a stream, or before the body of an answer that is not one.'),
    echoKey: Flag.optional().describe('Repeats the credential it received, in the text of the answer or of the error.'),
  })
  .refine((fault) => Object.keys(fault).length > 0, 'expected at least one fault, as in { status: 429, retryAfter: 2 } or { hang: true }')
  .refine((fault) => REPLACING.filter((name) => fault[name] !== undefined).length <= 1, `expected at most one of ${REPLACING.join(', ')}: each of them ends the request`)
  .refine((fault) => fault.retryAfter === undefined || fault.status !== undefined, 'expected `status` beside `retryAfter`')
  .refine((fault) => fault.servedModel === undefined || fault.noModel === undefined, 'expected `servedModel` or `noModel`, not both')
export type Fault = z.infer<typeof Fault>

export const FaultRule = z.strictObject({
  on: Condition,
  times: Counter.optional().describe('Strikes at most this often; left out, it strikes whenever it matches.'),
  fault: Fault,
})
export type FaultRule = z.infer<typeof FaultRule>

/**
 * What the scripted provider plays: which models it serves, what it answers to which conversation, and what goes wrong.
 * The first turn whose `when` matches answers; the first fault whose `on` matches strikes. A conversation that no turn
 * matches gets an error that describes it: a rehearsal that guesses would hide what it is for.
 */
export const ProviderScript = z
  .strictObject({
    $schema: z.string().optional(),
    version: z.literal(1).describe('The version of this format.'),
    models: z.array(z.string().min(1)).min(1).describe('The models it serves, by exact id. Any other gets 404, model not found.'),
    requireKey: z.string().min(1).optional().describe('Answers 401 unless this key arrives, as a bearer token, as x-api-key or as x-goog-api-key.'),
    turns: z.array(ScriptedTurn).describe('What it answers. The first turn that matches the conversation is taken.'),
    faults: z.array(FaultRule).optional().describe('What goes wrong, and when. The first rule that matches strikes.'),
  })
  .describe('A script of the scripted provider: models, answers and faults.')
export type ProviderScript = z.infer<typeof ProviderScript>

/** How patterns are read: `.` matches line ends too, `^` and `$` match at every line, because what they read is output of programs. */
export const compilePattern = (pattern: string): RegExp => new RegExp(pattern, 'ms')

function isRegularExpression(text: string): boolean {
  try {
    return compilePattern(text).source.length > 0
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}
