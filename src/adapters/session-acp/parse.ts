import * as z from 'zod'

export const PROTOCOL_VERSION = 1

export const Initialized = z.looseObject({ protocolVersion: z.literal(PROTOCOL_VERSION) })
export const SessionMade = z.looseObject({ sessionId: z.string().min(1) })
export const PromptEnded = z.looseObject({ stopReason: z.enum(['end_turn', 'max_tokens', 'max_turn_requests', 'refusal', 'cancelled']) })

const Content = z.looseObject({ type: z.string(), text: z.string().optional() })
export const Update = z.looseObject({
  sessionId: z.string(),
  update: z.union([
    z.looseObject({ sessionUpdate: z.literal('agent_message_chunk'), content: Content }),
    z.looseObject({ sessionUpdate: z.literal('agent_thought_chunk') }),
    z.looseObject({ sessionUpdate: z.literal('tool_call'), toolCallId: z.string(), title: z.string() }),
    z.looseObject({ sessionUpdate: z.literal('plan') }),
  ]),
})

export const PermissionAsked = z.looseObject({
  sessionId: z.string(),
  toolCall: z.looseObject({ toolCallId: z.string(), title: z.string().nullish() }),
  options: z.array(z.looseObject({ optionId: z.string(), kind: z.string() })),
})
export type PermissionAsked = z.infer<typeof PermissionAsked>
