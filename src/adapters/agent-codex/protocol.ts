import type { AgentReadiness } from '../../engine/agent.ts'
import { type Claim, clip, type CliProtocol, type Line, LineReader, NO_CLAIMS, type Receipt } from '../agent-cli/index.ts'
import { type CodexRecord, parseRecord } from './parse.ts'

/** Follows what Codex prints. It says nothing before it has its prompt, and nothing of the model that answers. */
export class CodexProtocol implements CliProtocol {
  readonly #reader = new LineReader((line) => this.#take(parseRecord(line)))
  readonly #started = Promise.withResolvers<void>()
  readonly #settled = Promise.withResolvers<void>()
  #completed = false
  #failure: string | undefined
  #error = ''
  #message = ''

  readonly settled = this.#settled.promise
  readonly onStdout = (chunk: Buffer): void => this.#reader.push(chunk)

  ready(): Promise<AgentReadiness> {
    return Promise.resolve({ responded: null, claims: NO_CLAIMS })
  }

  async deliver(line: Line, prompt: string): Promise<Receipt> {
    // Closed whatever comes of it: half a prompt with the input left open would be waited for without end.
    await line.write(prompt).finally(() => line.closeStdin())
    await Promise.race([this.#started.promise, this.#settled.promise])
    return { ok: true, receipt: `${Buffer.byteLength(prompt)} bytes written, and Codex began its turn` }
  }

  claim(): Claim {
    if (this.#failure !== undefined) return { claimedStatus: 'failed', claim: clip(this.#failure) }
    if (this.#completed) return { claimedStatus: 'completed', claim: clip(this.#message) }
    return { claimedStatus: null, claim: clip(this.#error) }
  }

  #take(record: CodexRecord | undefined): void {
    if (record === undefined) return
    switch (record.type) {
      case 'turn.started':
        this.#started.resolve()
        return
      case 'turn.completed':
        this.#completed = true
        this.#settled.resolve()
        return
      case 'turn.failed':
        this.#failure = record.error.message ?? 'the turn failed without a reason'
        this.#settled.resolve()
        return
      case 'error':
        // Also said of a call that is tried again: it decides nothing.
        this.#error = record.message
        return
      case 'item.completed':
        if (record.item.type === 'agent_message') this.#message = record.item.text ?? ''
    }
  }
}
