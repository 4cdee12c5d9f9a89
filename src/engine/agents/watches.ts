import { digestOf } from '../../contract/canonical.ts'
import { admissionRequestOf } from '../../gates/admission/index.ts'
import type { Resolution } from '../../gates/catalog/index.ts'
import type { Withdrawal } from '../../gates/wire/index.ts'
import { watchAdmission } from '../steps/admission.ts'
import type { World } from '../world.ts'

interface Watch {
  readonly holders: Set<(ended: Withdrawal) => void>
  readonly end: () => void
  withdrawal: Withdrawal | undefined
}

/** Watches the approvals that agents rest on. Agents of the same pair, endpoint and stage rest on the same one, which is read once for all of them. */
export class AdmissionWatches {
  readonly #all = new Map<string, Watch>()

  /** Calls `withdraw` as soon as the approval has ended, at once if it has. Until the returned function is called. */
  add(world: World, resolution: Resolution, withdraw: (ended: Withdrawal) => void): () => void {
    const key = digestOf(admissionRequestOf(resolution, world.configuration.networkClasses))
    const watch = this.#all.get(key) ?? this.#begin(key, world, resolution)
    watch.holders.add(withdraw)
    if (watch.withdrawal !== undefined) withdraw(watch.withdrawal)
    return () => {
      watch.holders.delete(withdraw)
      if (watch.holders.size === 0) this.#end(key, watch)
    }
  }

  #begin(key: string, world: World, resolution: Resolution): Watch {
    const holders = new Set<(ended: Withdrawal) => void>()
    const withdraw = (ended: Withdrawal): void => {
      watch.withdrawal ??= ended
      for (const each of holders) each(ended)
      // An approval may come back, for whoever begins anew; whoever was withdrawn stays so.
      this.#end(key, watch)
    }
    const watch: Watch = { holders, withdrawal: undefined, end: watchAdmission(world, resolution, { admissionFile: null, asked: null }, { withdraw }) }
    this.#all.set(key, watch)
    return watch
  }

  #end(key: string, watch: Watch): void {
    watch.end()
    if (this.#all.get(key) === watch) this.#all.delete(key)
  }
}
