import * as z from 'zod'
import { Lifetime, milliseconds } from '../contract/units.ts'
import { usage } from './places.ts'

const Instant = z.union([z.iso.datetime({ offset: true }), z.iso.date()])
/** As far as a lifetime goes, from which on nobody writes a year in four digits either. */
const LONGEST = '36500d'

/**
 * An instant, or a duration from now: when a token ends. There is none that does not. Nothing else is read: a bare number would be
 * taken for a year, and a token that was meant for 45 minutes would outlive its holder.
 */
export function instantOf(text: string, now: Date): Date {
  const at = Lifetime.safeParse(text).success ? new Date(now.getTime() + milliseconds(text)) : new Date(Instant.safeParse(text).success ? text : Number.NaN)
  const inTime = at.getTime() > now.getTime() && at.getTime() <= now.getTime() + milliseconds(LONGEST)
  if (!inTime) throw usage('an instant to come, or a duration', JSON.stringify(text), 'Write it as in 8h, 30d or 2027-06-01T00:00:00Z.')
  return at
}
