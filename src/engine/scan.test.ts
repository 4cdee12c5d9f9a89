import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stage, type Stage, type StageOptions } from '../../test/helpers/fake-world.ts'
import { Draw } from '../../test/helpers/secret-corpus.ts'
import { verifies } from '../../test/verifies.ts'
import type { PlannedLaunch } from '../gates/launch/index.ts'
import { type ScannedSurface, type SecretScanner, reportGate } from '../gates/report/index.ts'
import { readHistory, type World } from './index.ts'
import { scanLeftovers, scanSurface } from './scan.ts'

/** Known to the wire. */
const KEY = 'provider-key-7f3a9c1e5b2d8046'
/** Known to nobody, and a token by its form. */
const TOKEN = `ghp_${new Draw(11).any(36)}`

type Plant = (secret: string) => { readonly options?: StageOptions; arrange?(made: Stage, launch: () => PlannedLaunch): void; readonly request?: Parameters<Stage['run']>[0] }

const wrote = (made: Stage, act: () => void): void => {
  const { work } = made.agent
  made.agent.work = () => {
    act()
    return work()
  }
}
const changes = (change: (secret: string) => Partial<Awaited<ReturnType<World['workspaces']['changes']>>>, secret: string): StageOptions => ({
  world: (world) => ({ workspaces: { ...world.workspaces, changes: async (...given) => ({ ...(await world.workspaces.changes(...given)), ...change(secret) }) } }),
})

/** Each surface on which a secret may come to stand, and how it is named. What is refused before the start is `blocked`. */
const surfaces: readonly (readonly [surface: string, status: 'fail' | 'blocked', reason: string, plant: Plant])[] = [
  ['task file', 'blocked', 'secret_leak', (secret) => ({ request: { taskText: `id: t\n# ${secret}\n` } })],
  ['argv', 'blocked', 'launch_plan_unsafe', (secret) => ({ arrange: (made) => {
    made.agent.plan = (launch) => ({ ...launch, argv: [...launch.argv, '--key', secret] })
  } })],
  ['models.json', 'blocked', 'launch_plan_unsafe', (secret) => ({ arrange: (made) => {
    made.agent.plan = (launch) => ({ ...launch, files: [{ path: join(launch.plan.configuration, 'models.json'), content: JSON.stringify({ apiKey: secret }) }] })
  } })],
  ['agent/configuration/auth.json', 'fail', 'secret_leak', (secret) => ({ arrange: (made, launch) => wrote(made, () => writeFileSync(join(launch().plan.configuration, 'auth.json'), JSON.stringify({ key: secret }))) })],
  ['backend/agent.stdout.log', 'fail', 'secret_leak', (secret) => printing('stdout', secret)],
  ['backend/agent.stderr.log', 'fail', 'secret_leak', (secret) => printing('stderr', secret)],
  ['backend/workspace.patch', 'fail', 'secret_leak', (secret) => ({ options: { patch: `+const key = '${secret}'\n` } })],
  ['changes', 'fail', 'secret_leak', (secret) => ({ options: changes((each) => ({ whole: Buffer.from(`+\0${each}\0\n`) }), secret) })],
  ['commits', 'fail', 'secret_leak', (secret) => ({ options: changes((each) => ({ history: Buffer.from(`commit\n\n    Use ${each}\n`) }), secret) })],
]

/** The agent prints the secret; its logs and its end agree on what it printed. */
function printing(stream: 'stdout' | 'stderr', secret: string): ReturnType<Plant> {
  const printed = Buffer.from(`using ${secret}\n`)
  const output = { head: printed, tail: Buffer.alloc(0), bytes: printed.length, sha256: createHash('sha256').update(printed).digest('hex'), truncated: false }
  const silence = { ...output, head: Buffer.alloc(0), bytes: 0, sha256: createHash('sha256').update('').digest('hex') }
  return {
    arrange: (made, launch) => {
      const { work } = made.agent
      made.agent.work = async () => {
        writeFileSync(join(launch().plan.home, '..', '..', 'staging', `agent.${stream}.log`), printed)
        return { ...(await work()), exit: { code: 0, signal: null, stdout: silence, stderr: silence, [stream]: output, leaked: false, durationMs: 40, readFailure: null } }
      }
    },
  }
}

async function planted(t: Parameters<typeof stage>[0], plant: Plant, secret: string): Promise<{ made: Stage; run: Awaited<ReturnType<Stage['run']>> }> {
  const { options = {}, arrange, request } = plant(secret)
  const made = await stage(t, options)
  if (secret === KEY) made.secrets.push(KEY)
  let planned: PlannedLaunch | undefined
  arrange?.(made, () => {
    if (planned === undefined) throw new Error('nothing was planned')
    return planned
  })
  const { plan } = made.agent
  made.agent.plan = (launch) => (planned = plan(launch))
  return { made, run: await made.run(request) }
}

function everything(directory: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')).join('\n')
}

for (const [surface, status, reason, plant] of surfaces) {
  for (const [kind, secret] of [['the credential of the provider', KEY], ['another credential', TOKEN]] as const) {
    verifies('ADM-X2 ADM-X3 ADM-X4 ADM-X5 SEC-03 SEC-06', `${kind} in ${surface} ends the run, named by surface, and is stored nowhere`, async (t) => {
      const { made, run } = await planted(t, plant, secret)
      assert.deepEqual([run.report.status, run.report.reason], [status, reason])
      const told = JSON.stringify([run.report.refusal, run.report.gates.at(-1)?.found])
      assert.ok(told.includes(surface === 'task file' ? 'task file' : surface), told)
      assert.ok(!everything(made.directory).includes(secret), 'what is stored')
      assert.deepEqual((await made.verify(run.report.run_id)).problems, [])
      assert.equal(made.acts.some((act) => act.startsWith('start')), status === 'fail')
    })
  }
}

verifies('ADM-X3', 'a credential that the agent had and left in its home is a leak; an example in a package that it installed is none', async (t) => {
  const home = (text: string): Plant => () => ({ arrange: (made, launch) => wrote(made, () => writeFileSync(join(launch().plan.home, `${text === KEY ? `log-${KEY}` : 'example'}.txt`), `x ${text}`)) })
  const leak = await planted(t, home(KEY), KEY)
  assert.deepEqual([leak.run.report.status, leak.run.report.reason], ['fail', 'secret_leak'])
  assert.match(leak.run.report.gates.at(-1)?.found ?? '', /^agent\/home\/log-\[withheld by portcullis\]\.txt \(raw in its name at byte 4, #[0-9a-f]{16}; raw at byte 2, #[0-9a-f]{16}\)$/)
  assert.ok(!everything(leak.made.directory).includes(KEY))
  assert.equal((await planted(t, home(TOKEN), TOKEN)).run.report.status, 'pass')
})

for (const [what, leave, found] of [
  ['the target of a link', (home: string) => symlinkSync(`/${KEY}`, join(home, 'link')), /^agent\/home\/link \(raw at byte 1, #/],
  ['the name of an empty directory', (home: string) => mkdirSync(join(home, `a/${KEY}`), { recursive: true }), /^agent\/home\/a\/\[withheld by portcullis\] \(raw in its name at byte 2, #/],
] as const) {
  verifies('ADM-X3', `a credential in ${what} that the agent left is a leak`, async (t) => {
    const { report } = (await planted(t, () => ({ arrange: (made, launch) => wrote(made, () => void leave(launch().plan.home)) }), KEY)).run
    assert.equal(report.reason, 'secret_leak')
    assert.match(report.gates.at(-1)?.found ?? '', found)
  })
}

verifies('ADM-X5 SEC-03', 'the token that an agent was given is known in every form of it; its own home may hold it', async (t) => {
  const leaving = (area: 'configuration' | 'home'): Plant => () => ({ arrange: (made, launch) => wrote(made, () => writeFileSync(join(launch().plan[area], 'login'), Buffer.from(made.grants.at(-1)?.token ?? '').toString('base64'))) })
  const leak = await planted(t, leaving('configuration'), '')
  assert.deepEqual([leak.run.report.reason, leak.run.report.gates.at(-1)?.found?.replace(/#.*/, '')], ['secret_leak', 'agent/configuration/login (base64 at byte 0, '])
  assert.equal((await planted(t, leaving('home'), '')).run.report.status, 'pass')
})

for (const [field, surface] of [['history', 'commits'], ['whole', 'changes']] as const) {
  verifies('ADM-X2 SEC-07', `${surface} that cannot be shown whole are not free of credentials`, async (t) => {
    const made = await stage(t, changes(() => ({ [field]: undefined }), ''))
    const { report } = await made.run()
    assert.deepEqual([report.status, report.reason], ['fail', 'secret_scan_incomplete'])
    assert.equal(report.gates.at(-1)?.found, `not scanned: ${surface}`)
  })
}

verifies('SEC-08', 'a marker with a credential in it is written without it', async (t) => {
  // The ledger takes no credential, and a marker is made of what the ledger holds: this one is known only while it is scanned.
  const made = await stage(t, { records: [], world: (world) => ({
    scanner: { ...world.scanner, scan: (bytes) => (bytes.includes('status: missing_admission\nasked') ? [{ rule: 'raw', offset: 0, hash: 'h' }] : []), redact: (text) => (text.startsWith('status:') ? 'withheld\n' : text) },
  }) })
  const { report, directory } = await made.run()
  assert.equal(report.reason, 'secret_leak')
  assert.equal(directory.read('backend/provider-model-not-admitted.txt')?.toString(), 'withheld\n')
})

test('a link that the agent leaves is not followed', async (t) => {
  const plant: Plant = () => ({ arrange: (made, launch) => wrote(made, () => symlinkSync('/dev/zero', join(launch().plan.configuration, 'link'))) })
  assert.equal((await planted(t, plant, KEY)).run.report.status, 'pass')
})

const scanner = (change: Partial<SecretScanner>): SecretScanner => ({ rules: 'r', knownValues: () => 0, know: () => undefined, scan: () => [], open: () => ({ write: () => undefined, end: () => [] }), redact: (text) => text, ...change })
const boom = (): never => {
  throw new Error(`could not read ${KEY}`)
}
// @ts-expect-error: a scanner that is not typed can do this
const nothing = (): [] => undefined
const still = (): Date => new Date(0)

/** A scanner that fails, and how. Each of them must count as one that found nothing out. */
const failing: readonly (readonly [how: string, world: () => Pick<World, 'scanner' | 'clock'>])[] = [
  ['throws', () => ({ scanner: scanner({ scan: boom, open: () => ({ write: boom, end: () => [] }) }), clock: still })],
  ['throws at its end', () => ({ scanner: scanner({ scan: boom, open: () => ({ write: () => undefined, end: boom }) }), clock: still })],
  ['returns nothing', () => ({ scanner: scanner({ scan: nothing, open: () => ({ write: () => undefined, end: nothing }) }), clock: still })],
  ['is late', () => {
    let seconds = 0
    return { scanner: scanner({}), clock: () => new Date((seconds += 11) * 1_000) }
  }],
]
const left = (content: string, bytes = content.length) => ({ leftByAgent: () => [{ name: 'f', bytes, chunks: () => [Buffer.from(content)] }] })

for (const [how, make] of failing) {
  verifies('SEC-07', `a scanner that ${how} has scanned nothing: not a text, not what the agent left`, () => {
    const text = scanSurface(make(), 'report.json', Buffer.from('text'))
    assert.deepEqual([text.scanned, text.findings], [false, []])
    assert.deepEqual(scanLeftovers(make(), left('text')).map(({ name, scanned }) => [name, scanned]), [['agent/configuration', false], ['agent/home', false], ['agent/temporary', false]])
  })
}

verifies('SEC-07', 'a file that is read short, one that cannot be read, and more than is looked into, count as not scanned', () => {
  const world = { scanner: scanner({}), clock: still }
  const scanned = (directory: Parameters<typeof scanLeftovers>[1]): boolean[] => scanLeftovers(world, directory).map((surface: ScannedSurface) => surface.scanned)
  assert.deepEqual(scanned(left('text')), [true, true, true])
  assert.deepEqual(scanned(left('text', 5)), [false, false, false])
  assert.deepEqual(scanned({ leftByAgent: boom }), [false, false, false])
  // It would be read whole, if it were read.
  const chunk = Buffer.alloc(2 ** 26)
  assert.deepEqual(scanned({ leftByAgent: () => [{ name: 'f', bytes: 2 ** 31, chunks: () => Array.from({ length: 32 }, () => chunk) }] }), [false, false, false])
  assert.equal(scanSurface(world, 'commits', undefined).scanned, false)
})

verifies('SEC-07', 'a surface that was left out of the scan is missed by the report gate', async (t) => {
  const made = await stage(t)
  const { read } = await readHistory(made.world, (await made.run()).report.run_id)
  const [facts] = [...read.statements.values()].flatMap((statement) => reportGate.facts.read(statement)?.predicate ?? [])
  assert.ok(facts !== undefined)
  for (const name of ['backend/agent.stdout.log', 'backend/agent.stderr.log', 'task file', 'commits', 'agent/configuration', 'agent/home', 'agent/temporary']) {
    assert.ok(facts.expected.includes(name), name)
    const finding = reportGate.decide({ ...facts, surfaces: facts.surfaces.filter((surface) => surface.name !== name) }, ['e'.repeat(64)])
    assert.equal(finding.outcome === 'block' && finding.reason, 'secret_scan_incomplete', name)
  }
})
