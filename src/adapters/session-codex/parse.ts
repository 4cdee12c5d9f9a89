import * as z from 'zod'

export const ThreadStarted = z.looseObject({ thread: z.looseObject({ id: z.string() }), model: z.string().optional() })
export const TurnStarted = z.looseObject({ turn: z.looseObject({ id: z.string() }) })
export const TurnCompleted = z.looseObject({ threadId: z.string(), turn: z.looseObject({ id: z.string(), status: z.enum(['completed', 'interrupted', 'failed']), error: z.looseObject({ message: z.string() }).nullish() }) })
export const ItemEvent = z.looseObject({ threadId: z.string(), turnId: z.string(), item: z.looseObject({ type: z.string(), id: z.string(), text: z.string().optional() }) })
export const TokenUsage = z.looseObject({ tokenUsage: z.looseObject({ last: z.looseObject({ totalTokens: z.int().nonnegative() }) }) })

/** Its words for the kinds of item that are uses of a tool. */
export const TOOLS: readonly string[] = ['commandExecution', 'fileChange', 'mcpToolCall', 'dynamicToolCall', 'webSearch']
export const APPROVALS: readonly string[] = ['item/commandExecution/requestApproval', 'item/fileChange/requestApproval']
