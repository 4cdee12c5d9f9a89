import type { Report } from './report.ts'
import { type TestCase, testCasesOf } from './test-cases.ts'

/** `report.json` as JUnit XML, as Jenkins, GitLab and GitHub actions read it (EVD-13). */
export function renderJunit(report: Report): string {
  const cases = testCasesOf(report)
  const suites = [...new Set(cases.map((each) => each.suite))].map((suite) => suiteOf(report, suite, cases.filter((each) => each.suite === suite)))
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="portcullis" ${countsOf(cases)}>\n${suites.join('')}</testsuites>\n`
}

const countsOf = (cases: readonly TestCase[]): string => {
  const count = (status: TestCase['status']): number => cases.filter((each) => each.status === status).length
  return `tests="${cases.length}" failures="${count('failed')}" errors="${count('error')}" skipped="${count('skipped')}" time="${seconds(cases.reduce((total, each) => total + each.durationMs, 0))}"`
}

function suiteOf(report: Report, name: string, cases: readonly TestCase[]): string {
  const properties = [['run_id', report.run_id], ['profile', report.profile], ['status', report.status], ['reason', report.reason ?? '']] as const
  return [
    `  <testsuite name="portcullis.${name}" ${countsOf(cases)} timestamp="${escaped(report.started_at)}">\n`,
    `    <properties>\n${properties.map(([key, value]) => `      <property name="${key}" value="${escaped(value)}"/>\n`).join('')}    </properties>\n`,
    ...cases.map((each) => caseOf(name, each)),
    '  </testsuite>\n',
  ].join('')
}

function caseOf(suite: string, { name, status, type, message, durationMs }: TestCase): string {
  const open = `    <testcase classname="portcullis.${suite}" name="${escaped(name)}" time="${seconds(durationMs)}"`
  if (status === 'passed') return `${open}/>\n`
  const [first = ''] = message.split('\n')
  const inner = status === 'skipped' ? `<skipped message="${escaped(message)}"/>` : `<${elementOf(status)} type="${escaped(type ?? status)}" message="${escaped(first)}">${escaped(message)}</${elementOf(status)}>`
  return `${open}>\n      ${inner}\n    </testcase>\n`
}

const elementOf = (status: 'failed' | 'error'): string => (status === 'failed' ? 'failure' : 'error')
const seconds = (ms: number): string => (ms / 1_000).toFixed(3)

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;', '\n': '&#10;', '\r': '&#13;', '\t': '&#9;' }

/** Text of an agent or a provider as XML text. Characters that XML 1.0 cannot hold, not even escaped, become the replacement character. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"'\n\r\t]/g, (character) => ENTITIES[character] ?? character)
}
