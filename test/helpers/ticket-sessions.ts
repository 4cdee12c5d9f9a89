import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import * as z from 'zod'
import { type ChannelStarter, claim, Dispatcher, type Handed, move, type RuntimeEnding, type SessionChannel } from '../../src/engine/index.ts'
import type { Ticket, TicketSession } from '../../src/gates/dispatch/index.ts'
import { actor, type BookForTest, bookForTest, DRAFT, OPERATOR } from './ticket-book.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const WORKER = join(import.meta.dirname, '../fixtures/sessions/worker.mjs')
const Said = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), tokens: z.number() }),
  z.object({ type: z.literal('receipt'), of: z.number() }),
  z.object({ type: z.literal('call'), id: z.number(), tool: z.enum(['turn', 'complete']), input: z.unknown() }),
  z.object({ type: z.literal('end'), said: z.unknown(), finalMessage: z.string(), tokens: z.number() }),
])

/** A promise that somebody else settles, and that may be settled twice. */
function later<Value>() {
  let settle: (value: Value) => void = () => undefined
  const promise = new Promise<Value>((resolve) => (settle = resolve))
  return { promise, settle }
}

export interface DispatchForTest extends BookForTest {
  readonly dispatcher: Dispatcher
  /** Everything that reached any session, in order. */
  received(): readonly string[]
  readonly children: readonly ChildProcess[]
  /** What the connection of each session shows, in the order in which they were opened. */
  readonly tokens: readonly string[]
  changed: boolean | null
  /** A ticket that a worker has claimed, with a session that is ready. */
  begin(draft?: Partial<typeof DRAFT>): Promise<Ticket>
  /** Claims it again and opens a fresh session. */
  again(id: string): Promise<Ticket>
  /** A supervisor of the same name over the same store, as after a restart. */
  reborn(): Dispatcher
}

export const LUCI = actor('luci')
export const HERMES = actor('hermes')
export const DELIVERY_MS = 3_000

/** A dispatcher over a real store and real processes that speak a small protocol of their own. */
export async function dispatchForTest(context: TestContext, options: { readonly limits?: { dispatch: number; review: number }; readonly deliveryMs?: number; readonly turnMs?: number; readonly startTokens?: number; readonly abandoned?: (session: TicketSession) => boolean; readonly around?: (channel: SessionChannel, ended: AbortSignal) => SessionChannel | Promise<SessionChannel> } = {}): Promise<DispatchForTest> {
  const stored = await bookForTest(context)
  const transcript = join(temporaryDirectory(context), 'transcript.jsonl')
  const children: ChildProcess[] = []
  const tokens: string[] = []
  const starting = (made: () => Dispatcher): ChannelStarter => {
    const starter = starterOf(made, transcript, children, tokens)
    return { open: async (request) => (options.around ?? ((channel: SessionChannel) => channel))(await starter.open(request), request.ended) }
  }
  const dispatcherOf = (): Dispatcher => {
    const made: Dispatcher = new Dispatcher({ book: stored.book, starter: starting(() => made), work: { changed: async () => held.changed }, supervisor: LUCI, abandoned: options.abandoned ?? (() => true), startTokens: options.startTokens, limits: options.limits ?? { dispatch: 3, review: 3 }, deliveryMs: options.deliveryMs ?? DELIVERY_MS, turnMs: options.turnMs ?? 20_000 })
    return made
  }
  const dispatcher = dispatcherOf()
  context.after(async () => {
    for (const child of children) child.kill('SIGKILL')
    await dispatcher.settled()
  })
  await dispatcher.recover()
  const open = async (id: string): Promise<Ticket> => {
    const claimed = await claim(stored.book, id, LUCI, 600_000)
    if (!claimed.ok) throw new Error(claimed.refusal.message)
    const opened = await dispatcher.open(id, LUCI, { claimEpoch: claimed.value.claim?.epoch ?? 0, profile: 'claude_opus_1m_medium', cwd: '/srv/project', mode: 'HEADLESS', by: LUCI })
    if (!opened.ok) throw new Error(opened.refusal.message)
    return stored.book.get(id)
  }
  const held: DispatchForTest = {
    ...stored, dispatcher, children, tokens, changed: true, reborn: dispatcherOf,
    received: () => readOr(transcript).split('\n').filter((line) => line !== '').map((line) => z.string().parse(JSON.parse(line))),
    begin: async (draft = {}) => {
      const { id } = await stored.book.create({ ...DRAFT, ...draft }, OPERATOR)
      await move(stored.book, id, OPERATOR, { to: 'todo', reason: 'clear' })
      return open(id)
    },
    again: open,
  }
  return held
}

const readOr = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

export const starterOf = (dispatcher: () => Dispatcher, transcript: string, children: ChildProcess[], tokensOf: string[]): ChannelStarter => ({
  open: async ({ token, cwd }) => {
    const child = spawn(process.execPath, [WORKER, transcript], { stdio: ['pipe', 'pipe', 'inherit'] })
    children.push(child)
    tokensOf.push(token)
    const say = (message: object): void => void child.stdin.write(`${JSON.stringify(message)}\n`)
    child.stdin.on('error', () => undefined)
    const ready = later<undefined>()
    let receipt = later<Handed>()
    let ending = later<RuntimeEnding>()
    let state: ReturnType<SessionChannel['state']> = 'starting'
    let tokens: number | null = null
    let number = 0
    const gone = { kind: 'dead', found: 'its process has ended' } as const
    child.once('exit', () => {
      state = 'failed'
      receipt.settle(gone)
      ending.settle(gone)
    })
    const answer = async (tool: 'turn' | 'complete', input: unknown): Promise<unknown> => (tool === 'turn' ? ((await dispatcher().turnOf(token)) ?? null) : dispatcher().complete(token, input))
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = Said.parse(JSON.parse(line))
      switch (said.type) {
        case 'ready':
          state = 'ready'
          tokens = said.tokens
          return ready.settle(undefined)
        case 'receipt':
          return receipt.settle({ kind: 'delivered', receipt: `received ${said.of}` })
        case 'call':
          return void answer(said.tool, said.input).then((value) => say({ type: 'answer', id: said.id, value }), () => say({ type: 'answer', id: said.id, value: null }))
        case 'end':
          state = 'ready'
          tokens = said.tokens
          return ending.settle({ kind: 'ended', said: said.said, finalMessage: said.finalMessage })
      }
    })
    await ready.promise
    return {
      pid: child.pid ?? null,
      triple: 'claude/anthropic/opus[1m]',
      cwd,
      run: null,
      effort: () => 'medium',
      state: () => state,
      contextTokens: () => tokens,
      hand: ({ text, limitMs }) => {
        if (state === 'failed') return Promise.resolve(gone)
        state = 'running'
        number += 1
        receipt = later<Handed>()
        ending = later<RuntimeEnding>()
        say({ type: 'prompt', number, text })
        const timer = setTimeout(() => receipt.settle({ kind: 'unknown', found: `no receipt within ${limitMs} ms` }), limitMs)
        return receipt.promise.finally(() => clearTimeout(timer))
      },
      ending: () => ending.promise,
      interrupt: () => Promise.resolve(say({ type: 'interrupt' })),
      close: async () => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const ended = new Promise((resolve) => child.once('exit', resolve))
        child.kill('SIGKILL')
        await ended
      },
    }
  },
})
