import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { CONFIGURATION, PROFILE, RECORD, type Scenario, scenario } from '../e2e/scenario.ts'
import { drill, readDrill } from '../helpers/drill.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { verifies } from '../verifies.ts'

const ROOT = join(import.meta.dirname, '../..')

/** One gate, disabled by one change of the source: what stands there, what stands there then, and which lines of the drill must be open. */
interface Mutation {
  readonly gate: string
  readonly file: string
  readonly from: string
  readonly to: string
  readonly opens: readonly string[]
}

const RECORDS = 'src/gates/admission/judge-records.ts'
const RUN = 'src/engine/run-task.ts'

const MUTATIONS: readonly Mutation[] = [
  { gate: 'providers need not be defined', file: 'src/adapters/configuration/cross-checks.ts', from: 'if (pair !== undefined && entryOf(providers, pair.provider) === undefined)', to: 'if (false)', opens: ['missing-provider'] },
  { gate: 'a profile needs no model', file: 'src/adapters/configuration/cross-checks.ts', from: 'if (pair === undefined && entryOf(aliases, profile.model) === undefined)', to: 'if (false)', opens: ['missing-model'] },
  { gate: 'purposes are not compared', file: 'src/gates/catalog/resolve.ts', from: 'if (!listed && rules.mayIgnorePurposeOfProfile !== true)', to: 'if (false)', opens: ['wrong-purpose'] },
  {
    gate: 'what no record names is admitted',
    file: RECORDS,
    from: 'if (speaking.length === 0) return refuse(facts, missing(facts))',
    to: "if (speaking.length === 0) return { status: 'admitted', admission: { path: 'none', sha256: '0'.repeat(64), servedModelIds: [model], expiresAt: null, endpointBound: false, approval: null, endsAt: null } }",
    opens: ['unadmitted-pair', 'moved-alias', 'missing-record'],
  },
  { gate: 'a record admits any pair', file: RECORDS, from: 'if (!samePair(scope.pair, wanted(facts)))', to: 'if (false)', opens: ['mismatching-record'] },
  { gate: 'unknown fields are passed over', file: 'src/gates/admission/admission-record.ts', from: 'export const CurrentRecord = z.strictObject({', to: 'export const CurrentRecord = z.object({', opens: ['invalid-record'] },
  { gate: 'records do not expire', file: RECORDS, from: 'if (scope.expiresAt !== null && Date.parse(facts.observedAt) >= Date.parse(scope.expiresAt))', to: 'if (false)', opens: ['expired-record'] },
  { gate: 'stages are not compared', file: RECORDS, from: 'if (!scope.stages.includes(facts.stage))', to: 'if (false)', opens: ['wrong-stage'] },
  { gate: 'external providers need no approval', file: 'src/gates/admission/approval.ts', from: 'if (!isExternal(facts)) return', to: 'if (true) return', opens: ['unapproved-external'] },
  { gate: 'endpoints are not compared', file: RECORDS, from: 'if (scope.endpoint !== null && !sameEndpoint(scope.endpoint, facts.endpoint))', to: 'if (false)', opens: ['repointed-endpoint'] },
  { gate: 'a missing key is no key', file: 'src/adapters/credentials/create-credentials.ts', from: 'if (!result.ok) return { ok: false,', to: 'if (!result.ok) return { ok: true, credential: new ReadCredential({}, []),', opens: ['no-key'] },
  { gate: 'a probe may fail', file: 'src/gates/health/gate.ts', from: 'faultOfRecord(facts, probe) ?? faultOfOutcome(probe)', to: 'faultOfRecord(facts, probe)', opens: ['dead-endpoint'] },
  { gate: 'the served model is not compared before the answer goes out', file: 'src/gates/wire/answer-json.ts', from: 'return faultOfServed(servedModel, servedModelIds) ?? event.error', to: 'return event.error', opens: ['other-model-served'] },
  { gate: 'the record of a running agent is not looked at', file: 'src/engine/steps/admission.ts', from: "if (finding.outcome !== 'pass') grant.withdraw(", to: 'if (false) grant.withdraw(', opens: ['revoked-mid-run'] },
  { gate: 'no call is needed', file: 'src/gates/wire/gate.ts', from: 'if (last === undefined) return noModelCall(facts)', to: 'if (last === undefined) return undefined', opens: ['zero-calls'] },
  { gate: 'no change is needed', file: 'src/gates/acceptance/gate.ts', from: '[faultOfRunner, faultOfTargets, faultOfAgent, faultOfChange,', to: '[faultOfRunner, faultOfTargets, faultOfAgent,', opens: ['exit-0-without-work'] },
  { gate: 'probes need not pass', file: 'src/gates/acceptance/gate.ts', from: 'faultOfResultRecords, faultOfResult, faultOfUntouchedRecords', to: 'faultOfResultRecords, faultOfUntouchedRecords', opens: ['echoed-result-block'] },
]

/** The surfaces on which a planted credential must be found. */
const BLIND_SPOTS: readonly Mutation[] = [
  { gate: 'the ledger takes credentials', file: 'src/engine/course.ts', from: 'if (findings.length === 0) return\n', to: 'return\n', opens: ['secret-in-argv', 'secret-in-file-name'] },
  // Two searches look at what is handed over, by value and by rule; the gate that weighs what they found is the one place that opens both.
  { gate: 'the launch gate weighs no credential that was found', file: 'src/gates/launch/gate.ts', from: 'facts.secretsFound.map((surface) => `a credential in ${surface}`)', to: 'facts.secretsFound.flatMap((): string[] => [])', opens: ['secret-in-environment', 'secret-in-configuration'] },
  { gate: 'stdout is not scanned', file: RUN, from: "const logs = ['agent.stdout.log', 'agent.stderr.log']", to: "const logs = ['agent.stderr.log']", opens: ['secret-in-stdout'] },
  { gate: 'stderr is not scanned', file: RUN, from: "const logs = ['agent.stdout.log', 'agent.stderr.log']", to: "const logs = ['agent.stdout.log']", opens: ['secret-in-stderr'] },
  { gate: 'the patch is not scanned', file: RUN, from: 'const artefacts = this.#patch.length === 0 ? all', to: 'const artefacts = this.#patch.length >= 0 ? all', opens: ['secret-in-patch'] },
  { gate: 'the report gate looks at no finding', file: 'src/gates/report/gate.ts', from: 'if (leaking.length > 0) {', to: 'if (false) {', opens: ['secret-in-report'] },
  { gate: "a provider's error is passed on as it is", file: 'src/adapters/wire-server/exchange.ts', from: 'return credential.redact(credential.isIn(plain) ? plain : body)', to: 'return body', opens: ['key-echoed-by-provider'] },
]

/** A configuration on which everything can be tried: an alias, and a credential that nobody but the wire may read. */
async function everything(t: TestContext): Promise<Scenario> {
  const made = await scenario(t)
  made.env['TMPDIR'] = temporaryDirectory(t)
  made.env['USERS_OWN_KEY'] = 'not-to-be-read-by-a-drill'
  made.set(CONFIGURATION, ['aliases'], { best: { requires: ['tools'], candidates: ['scripted/coder-1', 'scripted/coder-0'], onUnhealthy: 'next-admitted' } })
  made.set(CONFIGURATION, [...PROFILE, 'model'], 'best')
  made.set(CONFIGURATION, ['providers', 'scripted', 'credential'], { source: 'env', name: 'USERS_OWN_KEY', class: 'provider-api-key' })
  made.set(RECORD, ['credential_source_class'], 'provider-api-key')
  return made
}

const filesOf = (directory: string): string[] => readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()

verifies('ADM-N13 ADM-X6', 'every gate of a sound configuration is closed, nothing of the user\'s is written, and no credential or token of theirs is used', async (t) => {
  const made = await everything(t)
  const trap = join(made.directory, 'credential-was-read')
  made.set(CONFIGURATION, ['providers', 'other'], { dialect: 'anthropic-messages', baseUrl: made.provider.url, networkClass: 'loopback', credential: { source: 'command', command: ['touch', trap], class: 'vault' }, timeouts: { connect: '1s', firstByte: '5s', idle: '5s', total: '10s' } })
  const before = filesOf(made.directory)
  const { result, answer, lines } = await readDrill(made)
  const all = new Set([...MUTATIONS, ...BLIND_SPOTS].flatMap(({ opens }) => opens))
  assert.deepEqual(new Set(lines.keys()), all, 'a line that no mutation opens is not shown to be able to fail')
  assert.deepEqual([...lines.values()].filter(({ verdict }) => verdict !== 'closed'), [])
  assert.deepEqual([result.code, answer.closed, answer.exit_code], [0, all.size, 0])
  assert.deepEqual(filesOf(made.directory), before)
  assert.equal(existsSync(trap), false)
  assert.equal(made.provider.requests().length, 0)
  assert.ok(!result.stdout.includes('not-to-be-read'))
  assert.deepEqual(readdirSync(made.env['TMPDIR'] ?? ''), [])
})

for (const dialect of ['openai-responses', 'anthropic-messages'] as const) {
  test(`a provider that speaks ${dialect} is drilled the same; what a configuration has not is not applicable, and counted`, async (t) => {
    const made = await scenario(t)
    made.set(CONFIGURATION, ['providers', 'scripted', 'dialect'], dialect)
    made.set(RECORD, ['served_model_ids'], ['coder-1-2026-05-01'])
    const { result, answer, lines } = await readDrill(made, ['--profile', 'pi_scripted'])
    const others = [...lines.values()].filter(({ verdict }) => verdict !== 'closed')
    assert.deepEqual(others.map(({ attack, verdict, because }) => [attack, verdict, ...because]), [
      ['moved-alias', 'not-applicable', 'the profile names an exact model, no alias'],
      ['no-key', 'not-applicable', 'the provider takes no credential'],
    ])
    assert.deepEqual([result.code, answer.not_applicable, answer.closed], [0, 2, lines.size - 2])
  })
}

test('a record that binds no endpoint leaves a hole in the user\'s own configuration, and the drill shows it', async (t) => {
  const made = await scenario(t)
  made.remove(RECORD, ['endpoint'])
  const shown = await drill(made, [])
  assert.equal(shown.code, 4)
  assert.match(shown.stdout, /✘ OPEN {5}repointed endpoint +it passed every gate/)
  assert.match(shown.stdout, /25 closed, 1 open, 2 not applicable in .* exit 4/)
})

verifies('ADM-N13', 'what a drill had no time to try is not proven, and the drill fails; how long it may take is the user\'s to say', async (t) => {
  const made = await scenario(t)
  const { result, answer, lines } = await readDrill(made, ['--limit', '1ms'])
  assert.deepEqual([result.code, answer.closed, answer.open, answer.not_proven, answer.profiles[0]?.control.accepted], [4, 0, 0, lines.size, false])
  for (const limit of ['soon', '0s', '25d']) {
    const refused = await made.portcullis(['drill', '--limit', limit])
    assert.deepEqual([refused.code, refused.stdout], [2, ''])
    assert.match(refused.stderr, new RegExp(`"${limit}"\\n.*--limit`))
  }
})

/** The drill of a copy of the source in which one gate is disabled: it must find that hole. */
async function assertHoleIsFound(t: TestContext, { file, from, to, opens }: Mutation): Promise<void> {
  const copy = temporaryDirectory(t)
  for (const part of ['bin', 'src', 'examples', 'package.json']) cpSync(join(ROOT, part), join(copy, part), { recursive: true, filter: (source) => !source.includes('/.portcullis') })
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  const source = readFileSync(join(copy, file), 'utf8')
  assert.equal(source.split(from).length, 2, `${file} holds the gate once, as it is written here`)
  writeFileSync(join(copy, file), source.replace(from, () => to))
  const { result, answer, lines } = await readDrill(await everything(t), [], join(copy, 'bin/portcullis.js'))
  assert.equal(answer.profiles[0]?.control.accepted, true, answer.profiles[0]?.control.message)
  for (const attack of opens) assert.equal(lines.get(attack)?.verdict, 'open', `${attack}: ${JSON.stringify(lines.get(attack))}`)
  assert.deepEqual([result.code, answer.exit_code], [4, 4])
}

for (const mutation of MUTATIONS) verifies('ADM-N13', `the drill finds the hole where ${mutation.gate}`, (t) => assertHoleIsFound(t, mutation))
for (const mutation of BLIND_SPOTS) verifies('ADM-N13 ADM-X6', `the drill finds the hole where ${mutation.gate}`, (t) => assertHoleIsFound(t, mutation))
