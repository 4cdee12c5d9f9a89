import { sha256 } from '../../contract/canonical.ts'
import { Name } from '../../contract/ids.ts'
import { type Dialect, parsePair } from '../../contract/model.ts'
import { printName } from '../../contract/secret-like.ts'
import { floatingReason, isPlainUrl, judgeProviderUrl } from '../../gates/catalog/index.ts'

/** Where the source keeps a credential. `inline` and `vault` are never taken over, `inline` holds a digest to tell two of them apart. */
export type KeySource =
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'inline'; readonly digest: string }
  | { readonly kind: 'vault' }
  | { readonly kind: 'absent' }

/** One deployment as another gateway describes it. What is undefined is not said there. */
export interface Deployment {
  /** The place in the source, as in `model_list[0]`. */
  readonly where: string
  /** What the source calls the provider; becomes its name. */
  readonly kind: string
  readonly dialect: Dialect | undefined
  readonly address: string | undefined
  readonly key: KeySource
  readonly totalMs: number | undefined
  readonly model: string | undefined
  readonly price: { readonly input: string; readonly output: string } | undefined
}

export interface ImportedProvider {
  readonly name: string
  readonly places: string[]
  readonly dialect: Dialect | undefined
  readonly address: string | undefined
  /** The address lies in a private network, or may: its owner has to say so. */
  readonly asksPermission: boolean
  readonly key: KeySource
  readonly prices: Map<string, NonNullable<Deployment['price']>>
  /** Every total limit that the source gives; more than one is none. */
  readonly totalsMs: Set<number>
}

/** An exact `provider/model`, or what has to be filled in. */
export type Candidate = { readonly pair: string } | { readonly blank: string }

export interface ImportedAlias {
  readonly name: string
  readonly candidates: readonly Candidate[]
  readonly fallsBack: boolean
}

/** Something that was not taken over, or that has to be looked at, and why. */
export interface Remark {
  readonly where: string
  readonly why: string
}

/** What an import has found so far. Nothing in it is guessed: what the source does not say stays undefined and becomes a blank. */
export class Draft {
  readonly providers: ImportedProvider[] = []
  readonly aliases: ImportedAlias[] = []
  readonly remarks: Remark[] = []
  /** Values that must stand nowhere in the result. In memory only, for the last check. */
  readonly secrets = new Set<string>()
  readonly #byIdentity = new Map<string, ImportedProvider>()

  remark(where: string, why: string): void {
    this.remarks.push({ where, why })
  }

  /** A text in which a credential stands as it is. It is remembered as its digest. */
  inline(value: string): KeySource {
    this.secrets.add(value)
    return { kind: 'inline', digest: sha256(value) }
  }

  /** Takes a deployment over and gives its candidate, or undefined where its model floats. */
  add(deployment: Deployment): Candidate | undefined {
    const { where, model, price } = deployment
    const floats = model === undefined ? undefined : floatingReason(model)
    if (floats !== undefined) {
      this.remark(where, `the model ${printName(model ?? '')} is no exact id: ${floats}. Name the exact id in the alias by hand`)
      return undefined
    }
    if (model !== undefined && parsePair(`provider/${model}`) === undefined) {
      this.remark(where, 'its model has spaces in it, so it is no exact id')
      return undefined
    }
    const provider = this.#provider(deployment)
    if (provider === undefined) return undefined
    if (deployment.totalMs !== undefined) provider.totalsMs.add(deployment.totalMs)
    if (model === undefined) return { blank: `${provider.name}/ and the exact model id, which the source leaves to its clients` }
    if (price !== undefined) provider.prices.set(model, price)
    return { pair: `${provider.name}/${model}` }
  }

  alias(name: string, where: string, candidates: readonly Candidate[], fallsBack: boolean): void {
    const unique = [...new Map(candidates.map((candidate) => [JSON.stringify(candidate), candidate])).values()]
    const written = this.#freeName(nameOf(name), new Set(this.aliases.map((alias) => alias.name)))
    if (unique.length === 0) return this.remark(where, `nothing exact is left of ${printName(name)}, so it is no alias here`)
    if (written !== name) this.remark(where, `${printName(name)} cannot be the name of an alias; it is written ${written}`)
    this.aliases.push({ name: written, candidates: unique, fallsBack })
  }

  #provider(deployment: Deployment): ImportedProvider | undefined {
    const { where, kind, dialect, key } = deployment
    const identity = JSON.stringify([kind, dialect, deployment.address, key])
    const known = this.#byIdentity.get(identity)
    if (known !== undefined) {
      known.places.push(where)
      return known
    }
    const placed = this.#address(deployment)
    if (placed === undefined) return undefined
    const name = this.#freeName(nameOf(kind), new Set(this.providers.map((provider) => provider.name)))
    const provider: ImportedProvider = { name, places: [where], dialect, ...placed, key, prices: new Map(), totalsMs: new Set() }
    this.#byIdentity.set(identity, provider)
    this.providers.push(provider)
    this.#remarkOnKey(provider, where)
    return provider
  }

  /** The address as far as it may be taken over; undefined drops the deployment. */
  #address({ where, address, dialect }: Deployment): Pick<ImportedProvider, 'address' | 'asksPermission'> | undefined {
    if (address === undefined) return { address: undefined, asksPermission: false }
    if (!isPlainUrl(address)) {
      this.remark(where, 'its address has a user, a password, a query or a fragment, or is none; those may hold a credential, so it was not copied')
      return { address: undefined, asksPermission: false }
    }
    const judged = judgeProviderUrl(address, { privateAddresses: true })
    if (!judged.ok) {
      this.remark(where, `its address is ${judged.found}; that is never called, so the deployment was not taken over`)
      return undefined
    }
    // What a name resolves to is not asked here; a short or local one leads into a private network.
    const asksPermission = !judgeProviderUrl(address, { privateAddresses: false }).ok || (judged.kind === 'name' && (!judged.host.includes('.') || /(?:^|\.)(?:localhost|local|internal|lan|svc)$/.test(judged.host)))
    if (dialect === 'openai-chat' && !new URL(address).pathname.replace(/\/+$/, '').endsWith('/v1')) this.remark(where, 'its address does not end in /v1; the wire asks <address>/v1/chat/completions, so see that this is where the provider answers')
    return { address, asksPermission }
  }

  #remarkOnKey({ name, key }: ImportedProvider, where: string): void {
    if (key.kind === 'inline') this.remark(where, `the source holds a key in clear text. It was not copied: put it into the environment variable ${variableOf(name)} of the wire, and replace it, because it stood in a file`)
    if (key.kind === 'vault') this.remark(where, `its key lies in the vault of the other gateway. Put the provider's own key into the environment variable ${variableOf(name)} of the wire`)
  }

  #freeName(wanted: string, taken: ReadonlySet<string>): string {
    let name = wanted
    for (let number = 2; taken.has(name); number += 1) name = `${wanted}-${number}`
    return name
  }
}

/** A name as Portcullis takes them, made of any other. */
function nameOf(text: string): string {
  const name = text.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[._-]+|-+$/g, '').slice(0, 90)
  return Name.safeParse(name).success && printName(name) === name ? name : 'imported'
}

/** The environment variable that is proposed for the key of a provider. */
export const variableOf = (provider: string): string => `${provider.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}_API_KEY`
