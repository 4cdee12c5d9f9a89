/** A clock is an argument, never a global: gates get times as values, adapters get this. */
export type Clock = () => Date

export const systemClock: Clock = () => new Date()

/** Milliseconds that pass as real time does, from a beginning that means nothing: what is measured by it does not jump when somebody sets the wall clock (REL-07). */
export type SteadyClock = () => number

export const steadyClock: SteadyClock = () => performance.now()
