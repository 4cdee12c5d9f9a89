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
  text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => (character === '\n' || character === '\t' ? ' ' : `\\x${character.codePointAt(0)?.toString(16).padStart(2, '0')}`))

/** JSON in which no character moves a terminal or hides: the same value, with what JSON leaves bare written as an escape. */
export const printableJson = (json: string): string =>
  json.replace(/[\u007f-\u009f\u2028\u2029]|\p{Cf}/gu, (character) => Array.from({ length: character.length }, (_each, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`).join(''))
