/** A clock is an argument, never a global: gates get times as values, adapters get this. */
export type Clock = () => Date

export const systemClock: Clock = () => new Date()

/** Milliseconds that pass as real time does, from a beginning that means nothing: what is measured by it does not jump when somebody sets the wall clock (REL-07). */
export type SteadyClock = () => number

/** A moment of the machine's own time: milliseconds that nobody can set, and since which start of the machine they pass. All processes of one start read the same. */
export interface MachineMoment {
  readonly boot: string
  readonly ms: number
}
export type MachineClock = () => MachineMoment

export const steadyClock: SteadyClock = () => performance.now()
