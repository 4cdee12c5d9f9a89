import type { Resolution } from '../../gates/catalog/index.ts'
import type { World } from '../world.ts'

/** What the providers of the agents that are kept were given when it was looked at last, by marks that tell nothing about it. */
export class SeenCredentials {
  #marks: ReadonlyMap<string, string> = new Map()

  /** Those of these providers that are given something else than at the last look. One that was not looked at yet is none of them: whoever uses it still has to prove everything. */
  async changed(world: Pick<World, 'credentialMark'>, resolutions: readonly Pick<Resolution, 'pair' | 'provider'>[]): Promise<ReadonlySet<string>> {
    const providers = new Map(resolutions.map(({ pair, provider }) => [pair.provider, provider]))
    const marks = new Map(await Promise.all([...providers].map(async ([name, provider]) => [name, await world.credentialMark(provider)] as const)))
    const before = this.#marks
    this.#marks = marks
    return new Set([...marks].filter(([name, mark]) => before.has(name) && before.get(name) !== mark).map(([name]) => name))
  }
}
