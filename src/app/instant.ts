import { milliseconds } from '../contract/units.ts'
import { usage } from './places.ts'

/** An instant, or a duration from now: when a token ends. There is none that does not. */
export function instantOf(text: string, now: Date): Date {
  const duration = /^\d+(?:ms|s|m|h|d)$/.test(text) ? milliseconds(text) : undefined
  const at = duration === undefined ? new Date(text) : new Date(now.getTime() + duration)
  if (Number.isNaN(at.getTime()) || at.getTime() <= now.getTime()) throw usage('an instant to come, or a duration', JSON.stringify(text), 'Write it as in 8h, 30d or 2027-06-01T00:00:00Z.')
  return at
}
