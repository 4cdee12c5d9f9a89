import { LIFECYCLE } from '../../contract/lifecycle.ts'
import type { Report } from './report.ts'

/** One line of a test page: a gate, an acceptance item, a probe, or the run as a whole. */
export interface TestCase {
  readonly suite: 'gates' | 'acceptance' | 'probes' | 'run'
  readonly name: string
  /** `error`: it gave no answer, which counts no more than a failure. `skipped`: the run ended before it. */
  readonly status: 'passed' | 'failed' | 'error' | 'skipped'
  /** A reason code, or how a probe ended; null for a pass. */
  readonly type: string | null
  readonly message: string
  readonly durationMs: number
}

/**
 * A report as the test results that CI pages show. The last case is the run itself, and it passes only if the run was
 * accepted: a page whose every line is green must mean that.
 */
export function testCasesOf(report: Report): TestCase[] {
  const accepted = report.status === 'pass'
  const whole: TestCase = { suite: 'run', name: `run ${report.run_id}`, status: accepted ? 'passed' : 'failed', type: accepted ? null : (report.reason ?? report.status), message: toldBy(report), durationMs: Date.parse(report.ended_at) - Date.parse(report.started_at) }
  return [...gatesOf(report), ...itemsOf(report), ...probesOf(report), whole]
}

function toldBy({ summary, refusal }: Report): string {
  return refusal === null ? summary : `${summary}\nasked: ${refusal.asked}\nfound: ${refusal.found}\ndo: ${refusal.remedy}`
}

function gatesOf(report: Report): TestCase[] {
  return LIFECYCLE.map((name): TestCase => {
    const at = report.gates.findLastIndex((gate) => gate.gate === name)
    const gate = report.gates[at]
    if (gate === undefined) return { suite: 'gates', name, status: 'skipped', type: null, message: 'the run ended before this gate', durationMs: 0 }
    const before = report.gates[at - 1]?.decided_at ?? report.started_at
    const told = [gate.message, ...(gate.asked === null ? [] : [`asked: ${gate.asked}`]), ...(gate.found === null ? [] : [`found: ${gate.found}`]), ...(gate.remedy === null ? [] : [`do: ${gate.remedy}`])].join('\n')
    const status = gate.outcome === 'pass' ? 'passed' : gate.outcome === 'block' ? 'failed' : 'error'
    return { suite: 'gates', name, status, type: gate.reason, message: told, durationMs: Math.max(0, Date.parse(gate.decided_at) - Date.parse(before)) }
  })
}

const itemsOf = (report: Report): TestCase[] =>
  report.acceptance.map((item) => ({ suite: 'acceptance', name: `${item.id}. ${item.text}`, status: item.status === 'met' ? 'passed' : 'failed', type: item.status === 'met' ? null : item.status, message: item.runtime_probe_evidence.map((probe) => `${probe.probe} ${probe.status} on ${probe.phase}: ${probe.summary}`).join('\n'), durationMs: 0 }))

/** The probes of the result alone: on the untouched copy they must fail, which is no failure. */
const probesOf = (report: Report): TestCase[] =>
  report.runtime_probe_evidence
    .filter((probe) => probe.phase === 'result')
    .map((probe) => ({ suite: 'probes', name: probe.probe, status: probe.status === 'passed' ? 'passed' : probe.status === 'failed' ? 'failed' : 'error', type: probe.status === 'passed' ? null : probe.status, message: probe.summary, durationMs: probe.duration_ms }))
