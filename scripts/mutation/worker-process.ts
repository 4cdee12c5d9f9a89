import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Answer, type Question } from './messages.ts'

/** How a worker ended instead of answering. */
export interface Ended {
  readonly kind: 'ended'
  readonly how: string
}

export interface WorkerProcess {
  /** Its answer, or how it ended without one. `limitMs` is by the clock on the wall and only there so that nothing hangs. */
  ask(question: Question, limitMs: number): Promise<Answer | Ended>
  readonly alive: boolean
  end(): Promise<void>
}

const START_LIMIT_MS = 60_000

/** Functions that the engine has optimised, and those that it has put into them, are not counted: what they reach would look unreached. */
const COUNTS_ALL = ['--no-opt', '--no-maglev']

/** Starts a process that runs tests against one mutant after the other, or that says what each test reaches. Throws if it does not come up. */
export async function startWorker(root: string, use: 'mutants' | 'reach'): Promise<WorkerProcess> {
  const child = fork(join(import.meta.dirname, 'worker.ts'), [root], { cwd: root, execArgv: ['--disable-warning=ExperimentalWarning', ...(use === 'reach' ? COUNTS_ALL : [])], serialization: 'json', stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env: environment() })
  const ready = await nextAnswer(child, START_LIMIT_MS)
  if (ready.kind !== 'ready') throw new Error(`The worker did not start: ${ready.kind === 'ended' ? ready.how : ready.kind}`)
  return {
    get alive() {
      return child.exitCode === null && child.signalCode === null
    },
    async ask(question, limitMs) {
      const answered = nextAnswer(child, limitMs)
      child.send(question)
      return answered
    },
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}

/** Tests see nothing of the one that may have started the run. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _above, ...env } = process.env
  return env
}

async function nextAnswer(child: ChildProcess, limitMs: number): Promise<Answer | Ended> {
  const settled = new AbortController()
  const late = setTimeout(() => child.kill('SIGKILL'), limitMs)
  try {
    return await Promise.race([
      once(child, 'message', { signal: settled.signal }).then(([message]) => Answer.parse(message)),
      once(child, 'exit', { signal: settled.signal }).then(([code, signal]): Ended => ({ kind: 'ended', how: `it ended with ${String(signal ?? code)}` })),
    ])
  } finally {
    clearTimeout(late)
    settled.abort()
  }
}
