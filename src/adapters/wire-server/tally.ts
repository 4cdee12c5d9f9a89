import { NOTHING_SPENT, overBudget, overShared, plus, type Spending, type Tally, type TallyOrder } from '../../gates/wire/index.ts'

/** The tally of one process. Everything in it happens in one turn of the event loop, so that two calls never take the same place. */
export class LocalTally implements Tally {
  readonly #lastNumber = new Map<string, number>()
  readonly #spent = new Map<string, Spending>()
  /** Calls under way, by profile: they are not charged yet. */
  readonly #underWay = new Map<string, number>()

  open(grant: string, runId: string, from: { readonly lastNumber: number; readonly spent: Spending }): void {
    this.#lastNumber.set(runId, Math.max(from.lastNumber, this.#lastNumber.get(runId) ?? 0))
    // What is known here is at least as new as what the ledger held when somebody read it.
    if (!this.#spent.has(grant)) this.#spent.set(grant, from.spent)
  }

  number(runId: string): number {
    const number = (this.#lastNumber.get(runId) ?? 0) + 1
    this.#lastNumber.set(runId, number)
    return number
  }

  take({ grant, profile, allowance, shared }: TallyOrder): string | undefined {
    const spent = this.#spent.get(grant) ?? NOTHING_SPENT
    const own = overBudget(allowance, spent)
    if (own !== undefined) return own
    for (const { budget, charged } of shared) {
      const over = overShared(budget, { ...charged, calls: charged.calls + this.#underWayOf(budget.profile) })
      if (over !== undefined) return over
    }
    this.#spent.set(grant, { ...spent, calls: spent.calls + 1 })
    this.#underWay.set(profile, (this.#underWay.get(profile) ?? 0) + 1)
    return undefined
  }

  settle(grant: string, profile: string, used: Spending): void {
    const spent = this.#spent.get(grant)
    // The call itself was counted when it was taken.
    if (spent !== undefined) this.#spent.set(grant, plus(spent, { ...used, calls: 0 }))
    this.#underWay.set(profile, Math.max(0, (this.#underWay.get(profile) ?? 0) - 1))
  }

  close(grant: string): void {
    this.#spent.delete(grant)
  }

  #underWayOf(profile: string | null): number {
    if (profile !== null) return this.#underWay.get(profile) ?? 0
    return [...this.#underWay.values()].reduce((sum, count) => sum + count, 0)
  }
}
