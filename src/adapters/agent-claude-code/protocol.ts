import { randomUUID } from 'node:crypto'
import type { AgentReadiness } from '../../engine/agent.ts'
import { type Claim, clip, type CliProtocol, type Line, LineReader, NO_CLAIMS, type Receipt } from '../agent-cli/index.ts'
import { WITNESS } from './configuration.ts'
import { type ClaudeRecord, parseRecord, type ResultRecord } from './parse.ts'

const HELLO = 'portcullis-hello'

/** Follows what Claude Code prints: the answer about itself, the echo of the prompt, its hooks, its results. */
export class ClaudeProtocol implements CliProtocol {
  readonly #model: string
  readonly #reader = new LineReader((line) => this.#take(parseRecord(line)))
  readonly #prompt = randomUUID()
  readonly #greeted = Promise.withResolvers<boolean>()
  readonly #settingsRead = Promise.withResolvers<void>()
  readonly #taken = Promise.withResolvers<void>()
  readonly #settled = Promise.withResolvers<void>()
  readonly #results: ResultRecord[] = []
  readonly #objections: string[] = []
  #stopped = false

  readonly settled = this.#settled.promise

  /** `model` is the one that was planned: another one in its words is its failure. */
  constructor(model: string) {
    this.#model = model
  }

  readonly onStdout = (chunk: Buffer): void => this.#reader.push(chunk)

  /** Two answers: its own, and that of the hook in our settings. Settings that it did not read would be passed over in silence. */
  async ready(line: Line): Promise<AgentReadiness | undefined> {
    await line.write(`${JSON.stringify({ type: 'control_request', request_id: HELLO, request: { subtype: 'initialize' } })}\n`)
    const [greeted] = await Promise.all([this.#greeted.promise, this.#settingsRead.promise])
    return greeted ? { responded: true, claims: NO_CLAIMS } : undefined
  }

  async deliver(line: Line, prompt: string): Promise<Receipt> {
    await line.write(`${JSON.stringify({ type: 'user', message: { role: 'user', content: prompt }, parent_tool_use_id: null, session_id: '', uuid: this.#prompt })}\n`)
    await Promise.race([this.#taken.promise, this.#settled.promise])
    return { ok: true, receipt: `Claude Code repeated the prompt under its id ${this.#prompt}` }
  }

  claim(): Claim {
    const last = this.#results.at(-1)
    if (last === undefined) return { claimedStatus: null, claim: clip(this.#objections.join('; ')) }
    const against = [...this.#objections, ...this.#results.flatMap(failureOf), ...(this.#stopped ? [] : ['its hook Stop was never called'])]
    if (against.length === 0) return { claimedStatus: 'completed', claim: clip(last.result ?? '') }
    return { claimedStatus: 'failed', claim: clip(against.join('; ')) }
  }

  #take(record: ClaudeRecord | undefined): void {
    if (record === undefined) return
    switch (record.type) {
      case 'control_response':
        if (record.response.request_id === HELLO) this.#greeted.resolve(record.response.subtype === 'success')
        return
      case 'user':
        if (record.uuid === this.#prompt) this.#taken.resolve()
        return
      case 'result':
        this.#results.push(record)
        this.#settled.resolve()
        return
      case 'system':
        this.#takeSystem(record)
    }
  }

  #takeSystem(record: Extract<ClaudeRecord, { type: 'system' }>): void {
    switch (record.subtype) {
      case 'init':
        if (record.model !== this.#model) this.#objections.push(`it says that it runs on ${record.model}, planned ${this.#model}`)
        return
      case 'hook_response':
        if (record.hook_event === 'SessionStart' && record.stderr?.trim() === WITNESS) this.#settingsRead.resolve()
        if (record.hook_event === 'Stop' && record.exit_code === 0) this.#stopped = true
        return
      case 'model_fallback':
        this.#objections.push(`it fell back from ${record.original_model ?? 'its model'} to ${record.fallback_model ?? 'another'}`)
    }
  }
}

/** `subtype` says "success" also of an error; no turn means that no model was asked. */
function failureOf({ subtype, is_error: isError, num_turns: turns, result, terminal_reason: reason }: ResultRecord): string[] {
  if (isError || subtype !== 'success') return [[subtype, reason, result].filter((part) => part !== undefined && part !== null && part !== '').join(': ')]
  return turns > 0 ? [] : ['it ended without a turn']
}
