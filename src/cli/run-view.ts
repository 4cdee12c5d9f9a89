import { LIFECYCLE } from '../contract/lifecycle.ts'
import { printMilliseconds } from '../contract/units.ts'
import { printable, type Terminal } from './terminal.ts'

const NAME_WIDTH = Math.max(...LIFECYCLE.map((gate) => gate.length)) + 3
/** What stands in a line beside the message: indent, mark, name, time. */
const FRAME_WIDTH = 4 + NAME_WIDTH + 9
const MESSAGE_WIDTH = 74
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const FRAME_MS = 100

export interface ShownVerdict {
  readonly gate: string
  readonly outcome: 'pass' | 'block' | 'abstain'
  readonly reason: string | null
  readonly message: string
}

/** One line a gate: a spinner with the elapsed time while it decides on a live terminal, the verdict when it has. */
export class RunView {
  readonly #terminal: Terminal
  #timer: NodeJS.Timeout | undefined
  #note = ''

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  heading(text: string): void {
    this.#terminal.line()
    this.#terminal.line(`  ${printable(text)}`)
    this.#terminal.line()
  }

  began(gate: string): void {
    this.#stop()
    if (!this.#terminal.live) return
    const since = performance.now()
    let frame = 0
    this.#note = ''
    this.#timer = setInterval(() => {
      frame = (frame + 1) % SPINNER.length
      const elapsed = printMilliseconds(performance.now() - since)
      // A line that wraps cannot be taken back: only its last part would be.
      const text = `${this.#note} ${elapsed}`.trim().slice(0, Math.max(0, this.#terminal.columns - 5 - NAME_WIDTH))
      this.#terminal.redraw(`  ${this.#terminal.paint('yellow', SPINNER[frame] ?? '')} ${gate.padEnd(NAME_WIDTH)}${this.#terminal.paint('dim', text)}`)
    }, FRAME_MS)
  }

  /** What is going on inside the gate that decides now, such as the last model call. Shown on a live terminal only. */
  note(text: string): void {
    this.#note = printable(text)
  }

  decided(verdict: ShownVerdict, elapsedMs: number): void {
    this.#stop()
    const { paint } = this.#terminal
    const mark = verdict.outcome === 'pass' ? paint('green', '✔') : paint('red', '✘')
    const text = printable(verdict.outcome === 'pass' ? verdict.message : `${verdict.reason ?? verdict.outcome}: ${verdict.message}`)
    this.#terminal.line(`  ${mark} ${verdict.gate.padEnd(NAME_WIDTH)}${text.padEnd(Math.min(MESSAGE_WIDTH, this.#terminal.columns - FRAME_WIDTH))} ${paint('dim', printMilliseconds(elapsedMs).padStart(8))}`)
  }

  /** Must be called when a run ends, however it ends: a timer left behind would keep the process alive. */
  close(): void {
    this.#stop()
  }

  #stop(): void {
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#terminal.redraw('')
  }
}
