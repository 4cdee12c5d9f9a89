/** What a doctor looks at, in the order in which a reader wants to hear of it. */
export const AREAS = ['configuration', 'installed', 'profiles', 'credentials', 'reachable', 'records', 'state'] as const

/** One thing that was looked at. */
export interface DoctorRow {
  readonly area: (typeof AREAS)[number]
  readonly name: string
  /** `missing`: something a profile needs is not there. `warning`: worth a look, and nothing is refused for it today. `unneeded`: not there, and nothing needs it. */
  readonly status: 'ok' | 'missing' | 'warning' | 'unneeded'
  readonly found: string
  /** What it is needed for; empty where the area says it. */
  readonly needed_for: string
  /** What to do; null where nothing has to be done. */
  readonly remedy: string | null
}
