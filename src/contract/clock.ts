/** A clock is an argument, never a global: gates get times as values, adapters get this. */
export type Clock = () => Date

export const systemClock: Clock = () => new Date()
