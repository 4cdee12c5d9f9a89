import * as z from 'zod'
import type { Digests } from '../../contract/evidence.ts'
import { definePredicate } from '../../contract/evidence.ts'
import { defineGate, type Finding } from '../../contract/gate.ts'
import { defineProof, type Proof } from '../../contract/proof.ts'
import { Digest } from '../../contract/verdict.ts'
import { REQUIRED_SURFACES, ScannedSurface } from './scan.ts'

/** What the report gate judges: every artefact of the run, as scanned for the credentials the product knows. */
export const ReportFacts = z.strictObject({
  observedAt: z.iso.datetime(),
  validForMs: z.int().positive(),
  rules: z.string().min(1),
  knownValues: z.int().nonnegative(),
  /** Every row of the run up to these facts, by RFC 6962 root: also rows that no verdict names cannot be changed or added later (EVD-04). */
  ledger: z.strictObject({ rows: z.int().nonnegative(), root: Digest }),
  /** Artefacts of this run beyond the required ones that must be among the surfaces. */
  expected: z.array(z.string().min(1)),
  surfaces: z.array(ScannedSurface),
})
export type ReportFacts = z.infer<typeof ReportFacts>

const asked = 'a run directory without a secret in it'

function decide(facts: ReportFacts, evidence: Digests): Finding {
  const names = facts.surfaces.map((surface) => surface.name)
  const missing = [...REQUIRED_SURFACES, ...facts.expected].filter((name) => !names.includes(name))
  const unread = facts.surfaces.filter((surface) => !surface.scanned).map((surface) => surface.name)
  // A finding counts before an incomplete scan: a leak that was seen must be named as what it is.
  const leaking = facts.surfaces.filter((surface) => surface.findings.length > 0)
  if (leaking.length > 0) {
    const places = leaking.map((surface) => `${surface.name} (${surface.findings.map((finding) => `${finding.rule} at byte ${finding.offset}, #${finding.hash}`).join('; ')})`)
    return {
      outcome: 'block',
      reason: 'secret_leak',
      message: `A credential stands in ${leaking.map((surface) => surface.name).join(', ')}.`,
      asked,
      found: places.join(', '),
      remedy: 'Replace the credential: it has left its place. The artefact is withheld and a redacted copy kept. Then find out how the agent came to know it.',
      evidence,
    }
  }
  if (missing.length > 0 || unread.length > 0 || new Set(names).size !== names.length) {
    return {
      outcome: 'block',
      reason: 'secret_scan_incomplete',
      message: 'Not every artefact of the run could be scanned.',
      asked,
      found: [missing.length > 0 ? `missing: ${missing.join(', ')}` : '', unread.length > 0 ? `not scanned: ${unread.join(', ')}` : ''].filter((part) => part !== '').join('; ') || 'two artefacts of one name',
      remedy: 'Run the task again; what was not scanned cannot be shown.',
      evidence,
    }
  }
  return {
    outcome: 'pass',
    message: `no secret in ${facts.surfaces.length} artefacts`,
    evidence,
    expiresAt: new Date(Date.parse(facts.observedAt) + facts.validForMs),
  }
}

export const reportGate = defineGate({ name: 'report', facts: definePredicate('https://portcullis.dev/evidence/report/v1', ReportFacts), decide })

export const reportProof = defineProof(reportGate, (facts) => ({ surfaces: facts.surfaces.map((surface) => ({ name: surface.name, sha256: surface.sha256 })) }))
export type Reported = Proof<'report', { readonly surfaces: readonly { readonly name: string; readonly sha256: string }[] }>
