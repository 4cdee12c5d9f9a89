import { styleText } from 'node:util'

type Style = 'green' | 'red' | 'yellow' | 'dim' | 'bold'

/** Where a command writes. Results go to stdout, progress and complaints for people to stderr only where stdout carries JSON. */
export interface Terminal {
  readonly json: boolean
  /** True if stdout is a terminal that can move its cursor. */
  readonly live: boolean
  /** How many columns a line may have. */
  readonly columns: number
  line(text?: string): void
  /** Replaces the current line of a live terminal. */
  redraw(text: string): void
  complain(text: string): void
  emit(value: string): void
  paint(style: Style, text: string): string
}

interface Output {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  write(text: string): boolean
}

/** Colours only on a terminal, and never with `NO_COLOR` (https://no-color.org) or `TERM=dumb`. */
export function createTerminal(options: { json: boolean; stdout: Output; stderr: Output; environment: Readonly<Record<string, string | undefined>> }): Terminal {
  const { json, stdout, stderr, environment } = options
  const capable = stdout.isTTY === true && environment['TERM'] !== 'dumb'
  const color = capable && (environment['NO_COLOR'] ?? '') === ''
  const live = capable && !json
  return {
    json,
    live,
    // A terminal that nobody told its size says 0.
    columns: stdout.columns === undefined || stdout.columns === 0 ? 100 : stdout.columns,
    line: (text = '') => void (json ? true : stdout.write(`${text}\n`)),
    redraw: (text) => void (live ? stdout.write(`\r\u001b[2K${text}`) : true),
    complain: (text) => void stderr.write(`${text}\n`),
    emit: (value) => void stdout.write(value),
    paint: (style, text) => (color ? styleText(style, text, { validateStream: false }) : text),
  }
}

/** Text from a file, a model or a provider, made safe for a terminal: control characters are shown, not obeyed. */
export const printable = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (character) => (character === '\n' || character === '\t' ? ' ' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`))
