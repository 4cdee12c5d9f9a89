import { clip, LineReader } from '../agent-cli/index.ts'
import { parseRecord, type PiRecord, type PiResponse, textOf } from './parse.ts'

/** How the last message of the assistant ended. */
export interface LastMessage {
  readonly stopReason: string | undefined
  readonly text: string
}

/** Follows what pi prints: answers to our commands, the last message, and whether it has settled. */
export class PiProtocol {
  readonly #waiting = new Map<string, (response: PiResponse) => void>()
  readonly #reader = new LineReader((line) => this.#take(line))
  #settled = false
  #last: LastMessage | undefined
  #onSettled = (): void => undefined
  /** Resolves when pi says that it has no work left. Only after a prompt: before one it has none either. */
  readonly settled = new Promise<void>((resolve) => (this.#onSettled = resolve))

  get hasSettled(): boolean {
    return this.#settled
  }

  get lastMessage(): LastMessage | undefined {
    return this.#last
  }

  readonly onStdout = (chunk: Buffer): void => this.#reader.push(chunk)

  /** The response to the command with this id, whenever it comes. */
  response(id: string): Promise<PiResponse> {
    return new Promise((resolve) => this.#waiting.set(id, resolve))
  }

  #take(line: string): void {
    const record = parseRecord(line)
    if (record !== undefined) this.#follow(record)
  }

  #follow(record: PiRecord): void {
    switch (record.type) {
      case 'response': {
        const waiting = record.id === undefined ? undefined : this.#waiting.get(record.id)
        if (record.id !== undefined) this.#waiting.delete(record.id)
        waiting?.(record)
        return
      }
      case 'message_end':
        if (record.message.role !== 'assistant') return
        this.#last = { stopReason: record.message.stopReason, text: record.message.errorMessage === undefined ? textOf(record.message.content) : clip(record.message.errorMessage) }
        return
      case 'agent_settled':
        this.#settled = true
        this.#onSettled()
    }
  }
}
