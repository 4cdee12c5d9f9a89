import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import * as z from 'zod'
import { openLedger } from '../../src/adapters/store-sqlite/index.ts'
import { sha256 } from '../../src/contract/canonical.ts'
import { type ModelCall, ModelCallEvidence } from '../../src/gates/wire/index.ts'
import { type Answer, answerBy, ask, type AskTarget, eventsBy, json, SECRET, SSE, startProvider, type TestProvider } from './wire-harness.ts'

const program = (name: string): string => join(import.meta.dirname, '../fixtures/programs', name)
const Announced = z.object({ address: z.string(), token: z.string(), runId: z.string() })
const Counted = z.object({ recorded: z.number(), unrecorded: z.number() })

export interface WireProcess extends AskTarget {
  readonly child: ChildProcess
  readonly runId: string
  /** What the wire itself counted. Fails if it is no longer alive. */
  counted(): Promise<z.infer<typeof Counted>>
}

/** Starts a wire over a ledger in a process of its own. `wrapped` is an argv that runs another, as in a shell with limits. */
export async function startWireProcess(context: Pick<TestContext, 'after'>, ledgerPath: string, provider: TestProvider, wrapped: readonly string[] = []): Promise<WireProcess> {
  const [command = '', ...args]: readonly string[] = [...wrapped, process.execPath, program('wire-over-ledger.ts'), ledgerPath, `${provider.url}/v1`]
  const child = spawn(command, args, { env: { PATH: process.env['PATH'], PROVIDER_KEY: SECRET }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  context.after(() => child.kill('SIGKILL'))
  const { address, token, runId } = Announced.parse(await messageOf(child))
  return {
    child,
    runId,
    wire: { address },
    grant: { token },
    request: { provider: { dialect: 'openai-chat' } },
    counted: () => {
      child.send('count')
      return messageOf(child).then((message) => Counted.parse(message))
    },
  }
}

/** A process that holds the ledger; the answer lets it go and resolves when it has ended. */
export async function holdLedger(context: Pick<TestContext, 'after'>, ledgerPath: string): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, [program('hold-ledger.ts'), ledgerPath], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  context.after(() => child.kill('SIGKILL'))
  await messageOf(child)
  return async () => {
    const gone = once(child, 'exit')
    child.send('let go')
    await gone
  }
}

/** The next message of a process; rejects if it ends first. */
function messageOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null, signal: string | null): void => reject(new Error(`the process ended (${code ?? signal}) instead of answering`))
    child.once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      resolve(message)
    })
  })
}

/** A provider that answers every other question as a stream. */
export const answeringProvider = (context: Pick<TestContext, 'after'>): Promise<TestProvider> =>
  startProvider(context, (response, number) => {
    if (number % 2 === 0) return json(response, answerBy('openai-chat', 'coder-1'))
    response.writeHead(200, SSE)
    for (const event of eventsBy('openai-chat', 'coder-1')) response.write(event)
    response.end()
  })

/** What clients saw. `acknowledged` holds the digests of the questions whose answers ended as answers end; nothing else is one. */
export class Load {
  readonly acknowledged = new Set<string>()
  /** Digests of questions that were refused with `evidence_unavailable`, before or within an answer. */
  readonly unavailable = new Set<string>()
  /** Connections that ended without any of these. */
  cut = 0
  /** Anything else: must stay empty. */
  readonly strange: string[] = []
  #running = true
  readonly #workers: readonly Promise<void>[]

  /** Begins at once; ends with the test at the latest. */
  constructor(context: Pick<TestContext, 'after'>, target: AskTarget, workers: number) {
    context.after(() => {
      this.#running = false
    })
    this.#workers = Array.from({ length: workers }, () => this.#work(target))
  }

  /** Lets each client end the question it has begun, and no further one. */
  async stop(): Promise<void> {
    this.#running = false
    await Promise.all(this.#workers)
  }

  async #work(target: AskTarget): Promise<void> {
    while (this.#running) {
      const body = JSON.stringify({ model: 'coder-1', messages: [{ role: 'user', content: randomUUID() }] })
      this.#count(sha256(body), await answerOrNone(target, body))
    }
  }

  #count(question: string, answer: Answer | undefined): void {
    if (answer === undefined) {
      this.cut += 1
      return
    }
    const stream = answer.headers['content-type'] === SSE['content-type']
    const ended = stream ? answer.body.endsWith('data: [DONE]\n\n') : answer.status === 200
    if (answer.status === 200 && answer.complete && ended) this.acknowledged.add(question)
    else if (answer.body.includes('evidence_unavailable') && (answer.status === 503 || (stream && !answer.complete))) this.unavailable.add(question)
    else if (!answer.complete) this.cut += 1
    else this.strange.push(`${answer.status} ${answer.body.slice(0, 300)}`)
  }
}

/** Undefined if no answer began: a process that was killed looks like this, and so would one that crashed. Who counts must tell. */
async function answerOrNone(target: AskTarget, body: string): Promise<Answer | undefined> {
  try {
    return await ask(target, { body })
  } catch {
    await new Promise((resolve) => setImmediate(resolve))
    return undefined
  }
}

/** Every call that a ledger holds of a run, each read back and its digest checked. */
export async function callsOf(ledgerPath: string, runId: string): Promise<readonly ModelCall[]> {
  const ledger = await openLedger(ledgerPath)
  try {
    const history = await ledger.history(runId)
    if (history === undefined) throw new Error(`the ledger does not know run ${runId}`)
    return history.entries.map((entry) => {
      const call = ModelCallEvidence.read(JSON.parse(entry.body))
      if (call === undefined || sha256(entry.body) !== entry.digest) throw new Error(`row ${entry.position} is not the evidence of a call`)
      return call.predicate
    })
  } finally {
    await ledger.close()
  }
}
