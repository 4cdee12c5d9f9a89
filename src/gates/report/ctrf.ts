import type { Report } from './report.ts'
import { type TestCase, testCasesOf } from './test-cases.ts'

const SPEC_VERSION = '0.0.0'

/** The words of CTRF: what gave no answer is `failed` there too, because `other` would not turn a page red. */
const STATUS: Readonly<Record<TestCase['status'], 'passed' | 'failed' | 'skipped'>> = { passed: 'passed', failed: 'failed', error: 'failed', skipped: 'skipped' }

/** `report.json` in the Common Test Report Format (EVD-13). */
export function renderCtrf(report: Report): string {
  const tests = testCasesOf(report).map(({ suite, name, status, type, message, durationMs }) => ({
    name,
    status: STATUS[status],
    duration: Math.round(durationMs),
    suite: ['portcullis', suite],
    ...(status === 'passed' ? {} : { message }),
    rawStatus: type ?? status,
  }))
  const count = (status: string): number => tests.filter((test) => test.status === status).length
  const [start, stop] = [Date.parse(report.started_at), Date.parse(report.ended_at)]
  const document = {
    reportFormat: 'CTRF',
    specVersion: SPEC_VERSION,
    timestamp: report.ended_at,
    generatedBy: `portcullis ${report.versions.portcullis}`,
    extra: { run_id: report.run_id, status: report.status, reason: report.reason },
    results: {
      tool: { name: 'portcullis', version: report.versions.portcullis },
      summary: { tests: tests.length, passed: count('passed'), failed: count('failed'), skipped: count('skipped'), pending: 0, other: 0, start, stop },
      tests,
    },
  }
  return `${JSON.stringify(document, null, 2)}\n`
}
