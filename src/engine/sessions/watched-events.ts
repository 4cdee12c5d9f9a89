import type { Clock } from '../../contract/clock.ts'
import type { LiveState, SessionEvent, TurnEnded } from './runtime.ts'

/** A permission that a session waits for. */
export interface AskedPermission {
  readonly request: string
  readonly tool: string
}

/** What a session has told so far, and who waits for the end of its turns. */
export class WatchedEvents {
  readonly #clock: Clock
  readonly #changed: (state: LiveState) => void
  readonly #endings = new Map<string, { readonly ended: Promise<TurnEnded>; settle(ended: TurnEnded): void }>()
  #permissions: readonly AskedPermission[] = []
  #lastAt: Date

  constructor(clock: Clock, changed: (state: LiveState) => void) {
    this.#clock = clock
    this.#changed = changed
    this.#lastAt = clock()
  }

  get lastActivityAt(): Date {
    return this.#lastAt
  }

  /** What it waits for now. */
  get permissions(): readonly AskedPermission[] {
    return this.#permissions
  }

  heard(): void {
    this.#lastAt = this.#clock()
  }

  /** The end of a turn, which may come before anybody asks for it. */
  endOf(turn: string): Promise<TurnEnded> {
    return this.#ending(turn).ended
  }

  answered(request: string): void {
    this.#permissions = this.#permissions.filter((asked) => asked.request !== request)
  }

  readonly take = (event: SessionEvent): void => {
    this.heard()
    switch (event.kind) {
      case 'permission':
        this.#permissions = [...this.#permissions, { request: event.requestId, tool: event.tool }]
        return
      case 'state':
        if (event.state !== 'needs_input') this.#permissions = []
        return this.#changed(event.state)
      case 'turn_end':
        if (event.turnId !== null) this.#ending(event.turnId).settle(event.ended)
        return
      case 'message':
      case 'tool_call':
      case 'foreign_turn':
      case 'session_end':
        return
    }
  }

  #ending(turn: string): { readonly ended: Promise<TurnEnded>; settle(ended: TurnEnded): void } {
    const known = this.#endings.get(turn)
    if (known !== undefined) return known
    const { promise, resolve } = Promise.withResolvers<TurnEnded>()
    const made = { ended: promise, settle: resolve }
    this.#endings.set(turn, made)
    return made
  }
}
