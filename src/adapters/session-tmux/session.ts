import { readFileSync, statSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import type { AgentProcess, StartAgent } from '../../engine/agent.ts'
import type { LiveSession, OpenSession, RawRecord, TurnMessage } from '../../engine/sessions/runtime.ts'
import { SessionCore, type SessionDriver, type Submitted } from '../session-common/index.ts'
import { type HookEvent, listenForHooks } from './hooks.ts'
import { manifest } from './manifest.ts'
import { ENTER_AGAIN_MS, paste, pasteProblem, PASTE_PAUSE_MS, placesOf, pressEnter, RAW_BYTES, wake } from './terminal.ts'

/** Starts the terminal, with the ear for its hooks open before it runs. */
export async function openSession<Process extends AgentProcess>(tmux: string, start: StartAgent<Process>, open: OpenSession): Promise<LiveSession<Process>> {
  const core = new SessionCore(open, manifest)
  const places = placesOf(open.request)
  const driver = new TerminalDriver(core, open.request.sessionId, { tmux, socket: places.socket })
  const server = await listenForHooks(places.hooks, (event) => driver.heard(event))
  let process: Process
  try {
    process = await start(() => undefined)
  } catch (error) {
    server.close()
    throw error
  }
  const ended = new AbortController()
  void process.exited.then(() => {
    ended.abort()
    server.close()
  })
  void wake(tmux, places.socket, ended.signal).catch(() => core.becameUnusable())
  return core.session(process, driver, { nativeId: () => open.request.sessionId, attach: [tmux, '-S', places.socket, 'attach-session'], raw: () => rawOf(places.raw) })
}

/** What the terminal showed, for people. Nothing else in this folder opens that file. */
function rawOf(path: string): RawRecord {
  try {
    const content = readFileSync(path)
    const { size } = statSync(path)
    return { format: 'terminal', content: content.subarray(0, RAW_BYTES), totalBytes: size, truncated: size >= RAW_BYTES }
  } catch {
    return { format: 'terminal', content: Buffer.alloc(0), totalBytes: 0, truncated: false }
  }
}

interface Waiting {
  readonly text: string
  resolve(submitted: Submitted): void
}

class TerminalDriver implements SessionDriver {
  readonly #core: SessionCore
  readonly #sessionId: string
  readonly #terminal: { readonly tmux: string; readonly socket: string }
  #waiting: Waiting | undefined
  #pressing: Promise<unknown> = Promise.resolve()
  /** The prompt that runs, by the agent's own id. */
  #promptId: string | null = null

  constructor(core: SessionCore, sessionId: string, terminal: { readonly tmux: string; readonly socket: string }) {
    this.#core = core
    this.#sessionId = sessionId
    this.#terminal = terminal
  }

  problemOf({ text }: TurnMessage): string | undefined {
    return pasteProblem(text)
  }

  async submit({ text }: TurnMessage): Promise<Submitted> {
    const { tmux, socket } = this.#terminal
    const receipt = Promise.withResolvers<Submitted>()
    this.#waiting = { text, resolve: receipt.resolve }
    await paste(tmux, socket, text)
    await wait(PASTE_PAUSE_MS)
    // An agent that still draws its first screen loses an Enter. Another one on an empty line does nothing; the message itself is typed once.
    while (this.#waiting?.resolve === receipt.resolve && this.#core.state === 'running') {
      await this.#enter()
      await Promise.race([receipt.promise, wait(ENTER_AGAIN_MS, undefined, { ref: false })])
    }
    return await receipt.promise
  }

  #enter(): Promise<void> {
    const { tmux, socket } = this.#terminal
    const pressing = pressEnter(tmux, socket)
    this.#pressing = pressing.catch(() => undefined)
    return pressing
  }

  interrupt(): Promise<boolean> {
    return Promise.resolve(false)
  }

  answer(): Promise<boolean> {
    return Promise.resolve(false)
  }

  /**
   * Takes what a hook tells. True if the prompt that it tells of may enter: once no key of ours is on its way any more, which would
   * answer what the agent asks in the course of it.
   */
  async heard(event: HookEvent): Promise<boolean> {
    const enters = this.#heard(event)
    await this.#pressing
    return enters
  }

  #heard(event: HookEvent): boolean {
    // Somebody else's session on our socket says nothing about ours.
    if (event.session_id !== this.#sessionId) return false
    switch (event.hook_event_name) {
      case 'SessionStart':
        this.#core.becameReady()
        return false
      case 'UserPromptSubmit':
        return this.#prompted(event.prompt, event.prompt_id ?? null)
      case 'PreToolUse':
        this.#core.usedTool(event.tool_use_id ?? '', event.tool_name)
        return false
      case 'PermissionRequest':
        this.#core.asked(event.prompt_id ?? 'terminal', event.tool_name)
        return false
      case 'PostToolUse':
        this.#core.answeredElsewhere()
        return false
      case 'Stop':
        this.#stopped(event)
        return false
    }
  }

  #prompted(prompt: string, promptId: string | null): boolean {
    const waiting = this.#waiting
    if (waiting !== undefined) {
      this.#waiting = undefined
      // What was typed before ours, or after it, has made another message of it: it must not run as ours.
      if (!sameText(prompt, waiting.text)) {
        waiting.resolve({ outcome: 'rejected', found: 'the terminal held other words beside the message; it was turned away' })
        return false
      }
      this.#promptId = promptId
      waiting.resolve({ outcome: 'received', receipt: `UserPromptSubmit ${promptId ?? ''}`.trim(), nativeTurn: promptId })
      return true
    }
    if (this.#core.state !== 'ready') return false
    this.#promptId = promptId
    this.#core.foreignTurn(promptId)
    return true
  }

  #stopped(event: Extract<HookEvent, { hook_event_name: 'Stop' }>): void {
    // The end of another prompt ends nothing of this one.
    if ((event.prompt_id ?? null) !== this.#promptId) return
    this.#promptId = null
    if (event.effort?.level !== undefined) this.#core.namedEffort(event.effort.level)
    this.#core.turnEnded({ outcome: 'completed', found: 'Stop', finalMessage: event.last_assistant_message ?? null })
  }
}

/** Terminals turn line ends around and cut blanks at the end. */
const sameText = (one: string, other: string): boolean => one.replaceAll('\r\n', '\n').replaceAll('\r', '\n').trimEnd() === other.replaceAll('\r\n', '\n').replaceAll('\r', '\n').trimEnd()
