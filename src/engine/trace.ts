import { canonicalJson, printDigest } from '../contract/canonical.ts'
import { Statement } from '../contract/evidence.ts'
import { Verdict } from '../contract/verdict.ts'
import { type LedgerEntry, RunEvent, type RunHistory } from './ledger.ts'
import { ModelCallEvidence } from '../gates/wire/index.ts'

/** `trace.jsonl`: one line a ledger row, in the order the rows were written. A pure function of the history. */
export function renderTrace(history: RunHistory): string {
  return history.entries.map((entry, index) => `${canonicalJson({ n: index + 1, run_id: history.run.runId, digest: printDigest(entry.digest), ...lineOf(entry) })}\n`).join('')
}

function lineOf(entry: LedgerEntry): Readonly<Record<string, unknown>> {
  const body: unknown = JSON.parse(entry.body)
  switch (entry.kind) {
    case 'event':
      return RunEvent.parse(body)
    case 'verdict': {
      const verdict = Verdict.parse(body)
      const reason = verdict.outcome === 'pass' ? {} : { reason: verdict.reason }
      return { type: 'gate_decided', at: verdict.decidedAt, gate: verdict.gate, outcome: verdict.outcome, message: verdict.message, ...reason }
    }
    case 'evidence': {
      const call = ModelCallEvidence.read(body)?.predicate
      if (call === undefined) return { type: 'evidence_stored', predicate_type: Statement.parse(body).predicateType }
      const { number, purpose, route, requestedModel, servedModel, outcome, reason, startedAt, durationMs } = call
      return { type: 'model_call', at: startedAt, number, purpose, route, requested_model: requestedModel, served_model: servedModel, outcome, reason, duration_ms: durationMs }
    }
  }
}
