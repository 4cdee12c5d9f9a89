import { pino } from 'pino'

/** Structured lines for operators. What may stand in one is said by who writes it; what holds a credential is taken out whatever the name is. */
export interface Log {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

const WITHHELD = ['authorization', 'cookie', 'token', 'credential', 'password', 'secret', '"x-api-key"', '"set-cookie"']

/** Writes one JSON object a line to `write`. */
export function createLog(write: (line: string) => void): Log {
  const paths = WITHHELD.flatMap((name) => (name.startsWith('"') ? [`[${name}]`, `*[${name}]`, `*.*[${name}]`] : [name, `*.${name}`, `*.*.${name}`]))
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) }, redact: { paths, censor: '[withheld]' } }, { write })
  return { info: (fields, message) => log.info(fields, message), error: (fields, message) => log.error(fields, message) }
}
