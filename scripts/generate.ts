import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { ProviderScript } from '../src/adapters/scripted-provider/index.ts'
import { ERROR_TABLE } from '../src/contract/errors.ts'
import { GATE_QUESTIONS, type GateName, LIFECYCLE } from '../src/contract/lifecycle.ts'
import { REASON_TABLE, REASONS } from '../src/contract/reasons.ts'
import { Configuration, Task } from '../src/engine/index.ts'
import * as acceptance from '../src/gates/acceptance/index.ts'
import * as admission from '../src/gates/admission/index.ts'
import * as catalog from '../src/gates/catalog/index.ts'
import * as dispatch from '../src/gates/dispatch/index.ts'
import * as health from '../src/gates/health/index.ts'
import * as launch from '../src/gates/launch/index.ts'
import * as readiness from '../src/gates/readiness/index.ts'
import * as report from '../src/gates/report/index.ts'
import * as wire from '../src/gates/wire/index.ts'
import { openApiOf, ROUTES } from '../src/http/index.ts'
import { VERSION } from '../src/version.ts'
import { shapesOf, shapesPath } from '../test/helpers/shapes.ts'
import { consoleTypes } from './console-types.ts'

/** The files that are published as JSON Schema. `input` is what people write, `output` is what we write. */
const SCHEMAS = [
  { name: 'portcullis', title: 'portcullis.yaml', description: 'Providers, profiles, aliases, purposes, task classes and probes.', schema: Configuration, io: 'input' },
  { name: 'task', title: 'task.yaml', description: 'One piece of work.', schema: Task, io: 'input' },
  { name: 'aliases', title: 'aliases.json', description: 'Override of the alias table, live without restart. An invalid one blocks resolution.', schema: catalog.AliasOverride, io: 'input' },
  { name: 'admission-record', title: 'admissions/*.json', description: 'One exact provider and model, admitted by people. The record is the authority.', schema: admission.AdmissionRecord, io: 'input' },
  { name: 'decision-record', title: 'decisions/*.json', description: 'What people decided about a provider. It admits nothing.', schema: admission.DecisionRecord, io: 'input' },
  { name: 'provider-script', title: 'Script of the scripted provider', description: 'What portcullis provider answers, and what goes wrong on demand.', schema: ProviderScript, io: 'input' },
  { name: 'report', title: 'report.json', description: 'What a run leaves behind.', schema: report.Report, io: 'output' },
] as const

/** What each gate reads and writes, limit by limit; the test beside each gate holds its source against this. */
const SHAPES: Readonly<Record<GateName, Readonly<Record<string, unknown>>>> = { catalog, admission, health, launch, readiness, dispatch, wire, acceptance, report }

const GATES_BEGIN = '<!-- gates:begin -->'
const GATES_END = '<!-- gates:end -->'
const schemaPath = (name: string): string => `spec/${name}.schema.json`

export type Generated = ReadonlyMap<string, string>

/** Every generated file of the repository at `root`, by path, with the content it must have. Throws if README.md has no place for the gate table. */
export function generatedFiles(root: string): Generated {
  return new Map([
    ...SCHEMAS.map((row): [string, string] => [schemaPath(row.name), renderSchema(row)]),
    ...LIFECYCLE.map((gate): [string, string] => [shapesPath(gate), shapesOf(SHAPES[gate])]),
    ['spec/openapi.json', `${JSON.stringify(openApiOf(ROUTES, VERSION), null, 2)}\n`],
    ['console/src/api-types.ts', consoleTypes(openApiOf(ROUTES, VERSION))],
    ['docs/reasons.md', renderReasons()],
    ['README.md', withGateTable(readFileSync(join(root, 'README.md'), 'utf8'))],
  ])
}

function renderSchema({ name, title, description, schema, io }: (typeof SCHEMAS)[number]): string {
  const { $schema, ...body } = z.toJSONSchema(schema, { io, target: 'draft-2020-12' })
  return `${JSON.stringify({ $schema, $id: `https://portcullis.dev/${schemaPath(name)}`, title, description, ...body }, null, 2)}\n`
}

const cell = (text: string): string => text.replaceAll('|', '\\|')
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |\n`).join('')

function renderReasons(): string {
  const refusals = REASONS.map((reason) => {
    const { title, http, exit, retry } = REASON_TABLE[reason]
    return [`\`${reason}\``, title, String(exit), String(http), retry]
  })
  const faults = Object.entries(ERROR_TABLE).map(([code, { title, http, exit }]) => [`\`${code}\``, title, String(exit), String(http)])
  return `# Reasons and faults

Generated from \`src/contract/reasons.ts\` and \`src/contract/errors.ts\` by \`npm run generate\`; do not edit.

A refusal is an answer: a gate was asked and did not permit. It has a reason code that stays the same, says what was asked, what was found
and what to do. A fault is a wrong call or a broken world.

## Refusals

The exit code is the one of a command that ended before any process was started; a run whose process had started ends in 4.
\`retry\` says whether the same request can succeed later without a change.

${table(['reason', 'means', 'exit', 'HTTP', 'retry'], refusals)}
## Faults

Exit code 2 is the caller's to mend, 1 ours or the machine's.

${table(['code', 'means', 'exit', 'HTTP'], faults)}`
}

/** README.md with the gate table between its markers brought up to date. */
export function withGateTable(readme: string): string {
  const begin = readme.indexOf(GATES_BEGIN)
  const end = readme.indexOf(GATES_END)
  if (begin === -1 || end < begin) throw new Error(`Expected README.md to hold ${GATES_BEGIN} and, after it, ${GATES_END}`)
  const rows = LIFECYCLE.map((gate, index) => [String(index + 1), gate, GATE_QUESTIONS[gate].question, `\`${GATE_QUESTIONS[gate].grants}\``])
  return `${readme.slice(0, begin)}${GATES_BEGIN}\n${table(['#', 'gate', 'question', 'grants'], rows)}${readme.slice(end)}`
}

/** What differs from the generated files, one sentence each. A schema that nothing generates any more is a difference, too. */
export function generatedFaults(root: string, generated: Generated): string[] {
  const differing = [...generated].flatMap(([path, content]) => {
    if (!existsSync(join(root, path))) return [`${path} is missing`]
    return readFileSync(join(root, path), 'utf8') === content ? [] : [`${path} is not what its source generates`]
  })
  const left = globSync(['spec/*.schema.json', 'spec/shapes/*'], { cwd: root }).filter((path) => !generated.has(path.replaceAll('\\', '/'))).map((path) => `${path} is generated from nothing`)
  return [...differing, ...left]
}

export function writeGenerated(root: string, generated: Generated): void {
  for (const [path, content] of generated) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
}

/** Returns the exit code. */
export function runGenerate(root: string, args: readonly string[], print: (text: string) => void): 0 | 1 {
  const { values } = parseArgs({ args: [...args], options: { check: { type: 'boolean' } } })
  const generated = generatedFiles(root)
  if (values.check !== true) writeGenerated(root, generated)
  const faults = generatedFaults(root, generated)
  print(faults.length === 0 ? `generated: ${generated.size} files are what their sources say\n` : `${[...faults, 'to mend: npm run generate'].join('\n')}\n`)
  return faults.length === 0 ? 0 : 1
}

if (import.meta.main) process.exitCode = runGenerate(join(import.meta.dirname, '..'), process.argv.slice(2), (text) => process.stdout.write(text))
