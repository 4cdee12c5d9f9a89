import * as z from 'zod'
import { digestOf } from '../../contract/canonical.ts'
import { definePredicate } from '../../contract/evidence.ts'
import { defineGate } from '../../contract/gate.ts'
import { printPair } from '../../contract/model.ts'
import { defineProof, type Proof } from '../../contract/proof.ts'
import { Digest } from '../../contract/verdict.ts'
import { AliasOverride, Catalog } from './catalog.ts'
import { askedOf, resolveAsked, type ResolvedProfile, type ResolveRequest } from './resolve.ts'
import { sliceCatalog } from './slice.ts'

const YEAR_MS = 366 * 24 * 3_600_000

/** What was asked of the catalog and the part of it that answers. Enough to resolve the name again, later and elsewhere. */
export const CatalogFacts = z.strictObject({
  observedAt: z.iso.datetime(),
  validForMs: z.int().positive().max(YEAR_MS),
  asked: z.strictObject({
    profile: z.string().max(1_000),
    purpose: z.string().max(1_000).nullable(),
    candidate: z.int().nonnegative(),
    capability: z.enum(['preflight', 'forged']).nullable(),
  }),
  /** The entries that the question touches (see sliceCatalog). */
  catalog: Catalog,
  /** Digest of the whole catalog that they were taken from. */
  catalogDigest: Digest,
  override: z.union([z.strictObject({ value: AliasOverride }), z.strictObject({ invalid: z.string().min(1).max(2_000) })]).nullable(),
})
export type CatalogFacts = z.infer<typeof CatalogFacts>

/** Collects the facts of one question. `validForMs` is how long the answer may be used; it has no default. */
export function catalogFacts(request: ResolveRequest & { readonly observedAt: Date; readonly validForMs: number }): CatalogFacts {
  const asked = askedOf(request)
  const { override } = request
  return {
    observedAt: request.observedAt.toISOString(),
    validForMs: request.validForMs,
    asked,
    catalog: sliceCatalog(request.catalog, asked, override),
    catalogDigest: digestOf(request.catalog),
    override: overrideOf(request),
  }
}

const overrideOf = ({ override }: Pick<ResolveRequest, 'override'>): CatalogFacts['override'] =>
  override !== null && 'invalid' in override ? { invalid: override.invalid.slice(0, 2_000) || 'not readable' } : override

export const catalogGate = defineGate({
  name: 'catalog',
  facts: definePredicate('https://portcullis.dev/evidence/catalog/v1', CatalogFacts),
  decide(facts, evidence) {
    const outcome = resolveAsked(facts.catalog, facts.override, facts.asked)
    if ('refusal' in outcome) return { outcome: 'block', ...outcome.refusal, evidence }
    return { outcome: 'pass', message: describe(outcome.resolution), evidence, expiresAt: new Date(Date.parse(facts.observedAt) + facts.validForMs) }
  },
})

function describe(resolution: ResolvedProfile): string {
  const { alias, pair, purpose, purposeIgnored, candidateIndex } = resolution
  const by = alias === null ? '' : ` by ${alias.name}, candidate ${candidateIndex + 1} of ${alias.candidates.length}`
  return `${printPair(pair)}${by}, purpose ${purpose} ${purposeIgnored ? 'allowed to the preflight, which ignores the profile\'s purposes' : 'allowed'}`
}

export const catalogProof = defineProof(catalogGate, (facts): ResolvedProfile => {
  const outcome = resolveAsked(facts.catalog, facts.override, facts.asked)
  if ('refusal' in outcome) throw new TypeError('A proof was asked for facts that the catalog gate refuses')
  return outcome.resolution
})

/** What stored facts resolve to, for readers of a report. It grants nothing: only the proof does. */
export const resolutionOf = (facts: CatalogFacts): ResolvedProfile | undefined => {
  const outcome = resolveAsked(facts.catalog, facts.override, facts.asked)
  return 'resolution' in outcome ? outcome.resolution : undefined
}

/** True if the entries that a question touched are today what they were: then what was found of the answer is of the same provider and model. */
export function isUnchanged({ asked, catalog, override }: CatalogFacts, today: Pick<ResolveRequest, 'catalog' | 'override'>): boolean {
  return digestOf([sliceCatalog(today.catalog, asked, today.override), overrideOf(today)]) === digestOf([catalog, override])
}

/** What the catalog hands to the admission gate: one exact provider and model, for one purpose. */
export type Resolution = Proof<'catalog', ResolvedProfile>
