import { createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import * as z from 'zod'
import { lineReader, parseRecord } from '../session-common/index.ts'

/**
 * What a hook of the agent runs: it hands its input to the session that listens, and waits for a word. Without one a prompt does not
 * enter: nobody would know that it did.
 */
export const HOOK_PROGRAM = `const { createConnection } = await import('node:net')
const [socket] = process.argv.slice(2)
let input = ''
for await (const chunk of process.stdin) input += chunk
const event = JSON.parse(input)
const guarded = event.hook_event_name === 'UserPromptSubmit'
const connection = createConnection(socket)
connection.once('error', () => process.exit(guarded ? 2 : 0))
connection.end(JSON.stringify(event) + '\\n')
let answer = ''
for await (const chunk of connection) answer += chunk
if (guarded && answer !== 'enter') {
  process.stderr.write('Portcullis: this message is not one that may enter now.')
  process.exit(2)
}
`

export const HOOK_EVENTS = ['SessionStart', 'UserPromptSubmit', 'PreToolUse', 'PostToolUse', 'PermissionRequest', 'Stop'] as const

const Common = { session_id: z.string(), prompt_id: z.string().nullish() }

/** What the hooks tell, as far as a session depends on it. */
export const HookEvent = z.discriminatedUnion('hook_event_name', [
  z.looseObject({ ...Common, hook_event_name: z.literal('SessionStart') }),
  z.looseObject({ ...Common, hook_event_name: z.literal('UserPromptSubmit'), prompt: z.string() }),
  z.looseObject({ ...Common, hook_event_name: z.literal('PreToolUse'), tool_name: z.string(), tool_use_id: z.string().nullish() }),
  z.looseObject({ ...Common, hook_event_name: z.literal('PostToolUse') }),
  z.looseObject({ ...Common, hook_event_name: z.literal('PermissionRequest'), tool_name: z.string() }),
  z.looseObject({ ...Common, hook_event_name: z.literal('Stop'), last_assistant_message: z.string().nullish(), effort: z.looseObject({ level: z.string() }).nullish() }),
])
export type HookEvent = z.infer<typeof HookEvent>

/** Listens for hooks. `judge` says whether a prompt may enter; its answer means nothing to the other hooks. */
export async function listenForHooks(path: string, judge: (event: HookEvent) => Promise<boolean>): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (connection) => follow(connection, judge))
  server.listen(path)
  await once(server, 'listening')
  return server
}

function follow(connection: Socket, judge: (event: HookEvent) => Promise<boolean>): void {
  let judged = Promise.resolve(false)
  const read = lineReader((line) => {
    const event = parseRecord(HookEvent, line)
    if (event !== undefined) judged = judge(event)
  })
  const answer = (enters: boolean): void => void connection.end(enters ? 'enter' : 'refuse')
  connection.on('data', read)
  connection.on('error', () => connection.destroy())
  connection.on('end', () => void judged.then(answer, () => answer(false)))
}
