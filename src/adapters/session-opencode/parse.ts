import * as z from 'zod'

export const SessionMade = z.looseObject({ id: z.string().min(1), directory: z.string() })

const Failure = z.looseObject({ name: z.string(), data: z.looseObject({ message: z.string().optional() }).optional() })
export type Failure = z.infer<typeof Failure>

const UserMessage = z.looseObject({ id: z.string(), sessionID: z.string(), role: z.literal('user') })
const AssistantMessage = z.looseObject({
  id: z.string(), sessionID: z.string(), role: z.literal('assistant'), parentID: z.string(), modelID: z.string(),
  time: z.looseObject({ completed: z.number().optional() }),
  tokens: z.looseObject({ total: z.int().nonnegative().optional() }).optional(),
  error: Failure.optional(),
})
const TextPart = z.looseObject({ type: z.literal('text'), sessionID: z.string(), messageID: z.string(), id: z.string(), text: z.string() })
const ToolPart = z.looseObject({
  type: z.literal('tool'), sessionID: z.string(), messageID: z.string(), callID: z.string(), tool: z.string(),
  state: z.looseObject({ status: z.string(), input: z.unknown().optional(), metadata: z.looseObject({ valid: z.boolean().optional() }).optional() }),
})

/** The events that say something about a turn; every other is passed over. */
export const ServerEvent = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('server.connected') }),
  z.looseObject({ type: z.literal('message.updated'), properties: z.looseObject({ info: z.discriminatedUnion('role', [UserMessage, AssistantMessage]) }) }),
  z.looseObject({ type: z.literal('message.part.updated'), properties: z.looseObject({ part: z.discriminatedUnion('type', [TextPart, ToolPart]) }) }),
  z.looseObject({ type: z.literal('session.status'), properties: z.looseObject({ sessionID: z.string(), status: z.looseObject({ type: z.string() }) }) }),
  z.looseObject({ type: z.literal('session.error'), properties: z.looseObject({ sessionID: z.string().optional(), error: Failure.optional() }) }),
  z.looseObject({ type: z.literal('permission.asked'), properties: z.looseObject({ id: z.string(), permission: z.string() }) }),
  z.looseObject({ type: z.literal('permission.replied'), properties: z.looseObject({ requestID: z.string() }) }),
])
export type ServerEvent = z.infer<typeof ServerEvent>

/** The tool by which it takes an answer in a schema. */
export const STRUCTURED_TOOL = 'StructuredOutput'
