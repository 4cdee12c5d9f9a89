import { printMilliseconds } from '../../contract/units.ts'
import type { Report } from './report.ts'

const HEADLINE = { pass: 'ACCEPTED', fail: 'FAILED', blocked: 'BLOCKED' } as const

/** `report.md`: the report for people first, then every field of report.json by name, so that the two can be compared field by field (ADM-T4). */
export function renderMarkdown(report: Report): string {
  const elapsed = printMilliseconds(Date.parse(report.ended_at) - Date.parse(report.started_at))
  const lines = [
    `# ${HEADLINE[report.status]}: ${inline(report.task.title)}`,
    '',
    inline(report.summary),
    '',
    `Run \`${report.run_id}\`, profile \`${report.profile}\`, for ${report.task.purpose}, ${elapsed}.`,
    '',
    ...recordOf(report),
    '| gate | outcome | what was found |',
    '| --- | --- | --- |',
    ...report.gates.map((gate) => `| ${gate.gate} | ${gate.outcome === 'pass' ? 'pass' : `**${gate.outcome}** \`${gate.reason ?? ''}\``} | ${cell(gate.message)} |`),
    '',
    ...refusalOf(report),
    ...acceptanceOf(report),
    ...comparisonOf(report),
    ...reviewsOf(report),
    ...deliveryOf(report),
    ...changesOf(report),
    ...closingOf(report),
    `Check it offline: \`npx portcullis verify ${report.run_id}\``,
    '',
    '## Every field',
    '',
    '| field | value |',
    '| --- | --- |',
    ...leavesOf(report).map(([path, value]) => `| ${path} | \`${JSON.stringify(value).replaceAll('|', '\\u007c').replaceAll('`', '\\u0060')}\` |`),
    '',
  ]
  return lines.join('\n')
}

/** How far the record of the model calls is complete (ISO-07), where there is one that was judged. */
function recordOf({ isolation, gates }: Report): string[] {
  if (isolation === null || !gates.some(({ gate }) => gate === 'wire')) return []
  const words = isolation.record_complete
    ? `The wire recorded all model calls of the agent: at isolation ${isolation.reached} it could reach nothing else.`
    : `The wire recorded the model calls that passed it: at isolation ${isolation.reached} others cannot be excluded.`
  return [words, '']
}

/** What ended the run: what was asked, what was found, what to do. */
function refusalOf(report: Report): string[] {
  const { refusal } = report
  if (refusal === null) return []
  return [
    `${report.process_started ? 'The agent process had started.' : 'No process was started.'}`,
    '',
    `- asked: ${inline(refusal.asked)}`,
    `- found: ${inline(refusal.found)}`,
    `- do: ${inline(refusal.remedy)}`,
    '',
  ]
}

function acceptanceOf(report: Report): string[] {
  if (report.acceptance.length === 0) return []
  const items = report.acceptance.map((item) => `${item.id}. ${item.status === 'met' ? 'met' : '**not met**'}: ${inline(item.text)} (${item.runtime_probe_evidence.map((probe) => `${probe.probe} ${probe.status} on ${probe.phase}`).join(', ')})`)
  return ['## Acceptance', '', ...items, '']
}

/** Check by check: what doing nothing achieves beside what the agent did. */
function comparisonOf({ baseline }: Report): string[] {
  if (baseline === null) return []
  const rows = baseline.checks.map((check) => `| ${cell(check.check)} | ${[check.untouched, check.fake, check.reference, check.result].map((status) => status ?? '-').join(' | ')} | ${check.better ? 'yes' : '**no**'} |`)
  return [`## Comparison: ${baseline.comparison}`, '', '| check | untouched | fake backend | reference | result | better |', '| --- | --- | --- | --- | --- | --- |', ...rows, '']
}

/** Who said what; what was left out of a verdict stands beside it. */
function reviewsOf({ review, reviews }: Report): string[] {
  if (review === null) return []
  const lines = reviews.flatMap((each) => [
    `- **${inline(each.reviewer)}** (${each.by === null ? each.kind : inline(each.by)}${each.served_model === null ? '' : `, served by ${inline(each.served_model)}`}) ${each.verdict ?? 'gave no verdict'}${each.advisory ? ', advisory: it changes nothing' : `, which ${each.counts_as.replace('_', ' ')}`}; ${each.blocking_count} blocking findings. ${inline(each.reason)}`,
    ...each.findings.map((finding) => `  - ${finding.severity} ${inline(`${finding.file ?? 'the work'}${finding.line === null ? '' : `:${finding.line}`}`)}: ${inline(finding.text)}${finding.dropped_by === null ? '' : ` (left out of the verdict by: ${inline(finding.dropped_by)})`}`),
  ])
  return [`## Reviews: ${review.outcome}`, '', `Needed: ${review.families_needed} model ${review.families_needed === 1 ? 'family' : 'families'}${review.authority_must_agree ? ` and ${inline(review.authority)}` : ''}. The authority is ${inline(review.authority)}. ${review.failures} reviewers failed.`, '', ...lines, '']
}

/** What was found in each repository, and where the agent's claim differs from it. */
function deliveryOf({ delivery }: Report): string[] {
  if (delivery === null) return []
  const lines = delivery.map((each) => {
    const where = each.done_sha === null ? 'no commit' : `\`${each.done_sha.slice(0, 12)}\` ${each.ancestor ? (each.is_new ? 'is in' : '**is not shown to be new in**') : '**is not in**'} ${inline(each.branch)} of ${inline(each.remote)}`
    const tests = each.tests === null ? '' : `; ${each.tests.count ?? 'an unknown number of'} tests ran, exit ${each.tests.exit_code ?? 'none'}`
    return `- **${inline(each.name)}**: ${where}; ${each.files.length} claimed files looked at${tests}${each.difference === null ? '' : `. ${inline(each.difference)}`}`
  })
  return ['## Delivery', '', ...lines, '']
}

function closingOf({ closing }: Report): string[] {
  if (closing === null) return []
  return [`Closed by ${inline(closing.by)}${closing.gate === null ? '' : ` at the ${closing.gate} gate`}; human input required: ${closing.human_input_required ? 'yes' : 'no'}.`, '']
}

function changesOf(report: Report): string[] {
  if (report.workspace === null || report.workspace.files_changed === 0) return []
  return ['## Changes', '', ...report.workspace.files.map((file) => `- \`${inline(file.path)}\` +${file.insertions} -${file.deletions}`), '', wholeness(report.workspace), '']
}

function wholeness({ patch_complete, files_left_out }: NonNullable<Report['workspace']>): string {
  const patch = patch_complete ? 'The whole difference is in `backend/workspace.patch`.' : '`backend/workspace.patch` is cut short; the work is in `workspace/`.'
  return files_left_out === 0 ? patch : `${patch} The probes also saw ${files_left_out} files that the workspace ignores; they are not in it.`
}

/** Every leaf of the report with its path, in the order of the JSON; an empty list or object is a leaf too. */
export function leavesOf(value: unknown, path = ''): [path: string, value: unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]]
  const members: [string, unknown][] = Array.isArray(value) ? value.map((member: unknown, index) => [`${path}[${index}]`, member]) : Object.entries(value).map(([key, member]) => [path === '' ? key : `${path}.${key}`, member])
  return members.length === 0 ? [[path, value]] : members.flatMap(([memberPath, member]) => leavesOf(member, memberPath))
}

/** Text of an agent or a file name must not open markup, a table cell or a new section in a report that people trust. */
const inline = (text: string): string => text.replace(/[\r\n]+/g, ' ').replace(/[<>[\]]/g, (character) => `\\${character}`)
const cell = (text: string): string => inline(text).replaceAll('|', '\\|')
