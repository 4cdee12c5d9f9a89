import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import * as z from 'zod'

export const ASSISTANT = join(import.meta.dirname, '../fixtures/agents/assistant.mjs')

/** A port that nobody listens on, for a program that has to be told one: below those that the system gives to whoever asks for any. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 30_000)
    const server = createServer().listen(port, '127.0.0.1')
    const free = await once(server, 'listening').then(() => true, () => false)
    if (!free) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

export interface AssistantPlaces {
  readonly port: number
  readonly mcpPort: number
  readonly cardUrl: string
  readonly mcpUrl: string
  readonly allow: { readonly addresses: readonly string[] }
}

export async function assistantPlaces(): Promise<AssistantPlaces> {
  const [port, mcpPort] = [await freePort(), await freePort()]
  return { port, mcpPort, cardUrl: `http://127.0.0.1:${port}/.well-known/agent-card.json`, mcpUrl: `http://127.0.0.1:${mcpPort}/mcp`, allow: { addresses: [`127.0.0.1:${port}`, `127.0.0.1:${mcpPort}`] } }
}

const Told = z.object({ fault: z.string(), heard: z.int() })

export interface Assistant {
  readonly child: ChildProcess
  /** Changes what is wrong with it, and what it holds, while it runs. */
  set(change: { readonly fault?: string; readonly token?: string; readonly wire?: string }): Promise<void>
  /** How many messages of people have come to it. */
  heard(): Promise<number>
  kill(): Promise<void>
}

/** The fixture agent as a process of its own, started by somebody else than Portcullis; ready when this resolves. */
export async function startAssistant(context: Pick<TestContext, 'after'>, places: AssistantPlaces, options: readonly string[] = []): Promise<Assistant> {
  const child = fork(ASSISTANT, ['--port', String(places.port), '--mcp-port', String(places.mcpPort), '--model', 'coder-1', ...options], { env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  context.after(() => child.kill('SIGKILL'))
  const tell = async (change: object): Promise<z.infer<typeof Told>> => Told.parse(await (await fetch(`http://127.0.0.1:${places.port}/fault`, { method: 'POST', body: JSON.stringify(change) })).json())
  await Promise.race([once(child, 'message'), once(child, 'exit').then(() => Promise.reject(new Error('the assistant ended before it was ready')))])
  return {
    child,
    set: async (change) => void (await tell(change)),
    heard: async () => (await tell({})).heard,
    kill: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}
