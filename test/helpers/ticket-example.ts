import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parseDocument } from 'yaml'
import * as z from 'zod'
import { TicketEvent, TicketView } from '../../src/app/ticket-shapes.ts'
import { loadScript, type ScriptedProvider, startScriptedProvider } from '../../src/adapters/scripted-provider/index.ts'
import { Report } from '../../src/gates/report/index.ts'
import { runCli } from './run-cli.ts'
import type { ServedApi } from './served-api.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const ROOT = join(import.meta.dirname, '../..')
const EXAMPLE = join(ROOT, 'examples/tickets')
const DRAFT = { title: 'Implement slugify', description: 'The tests say what it does.', priority: 'high', project: 'demo', kind: 'code', labels: ['code'], source: { reference: 'FINAL-ASSESSMENT.md Item #9', key: null, url: null }, acceptance: [{ id: 1, text: 'All tests of the repository pass' }], repositories: ['./app.git', './console.git'] }
const Events = z.object({ events: z.array(TicketEvent), next: z.string().nullable() })

export interface TicketExample {
  readonly directory: string
  readonly provider: ScriptedProvider
  /** What a server of it is started with: pi is where the tests are installed. */
  readonly environment: Readonly<Record<string, string>>
}

const git = (cwd: string, ...words: readonly string[]): string => execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@localhost', ...words], { cwd, encoding: 'utf8', env: { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null' } }).trim()

/** The example in a directory of its own, with its two remotes and a provider that plays its script. */
export async function ticketExample(context: Pick<TestContext, 'after'>): Promise<TicketExample> {
  const directory = temporaryDirectory(context)
  const provider = await startScriptedProvider({ script: await loadScript(join(EXAMPLE, 'script.yaml')), port: 0 })
  context.after(() => provider.close())
  cpSync(EXAMPLE, directory, { recursive: true, filter: (source) => !source.includes('/.portcullis') })
  const change = (file: string, path: readonly string[], value: unknown): void => {
    const document = parseDocument(readFileSync(join(directory, file), 'utf8'))
    document.setIn(path, value)
    writeFileSync(join(directory, file), file.endsWith('.json') ? JSON.stringify(document.toJS()) : document.toString())
  }
  change('portcullis.yaml', ['providers', 'scripted', 'baseUrl'], `${provider.url}/v1`)
  change('admissions/scripted--coder-1.json', ['endpoint'], `${provider.url}/v1`)
  // A busy machine is no reason to give up on an agent.
  change('portcullis.yaml', ['profiles', 'pi_scripted', 'limits', 'idle'], '90s')
  change('portcullis.yaml', ['providers', 'scripted', 'timeouts', 'firstByte'], '60s')
  const first = join(directory, 'first')
  for (const name of ['app', 'console']) {
    git(directory, 'init', '--quiet', '--bare', '--initial-branch=master', `${name}.git`)
    git(directory, 'init', '--quiet', '--initial-branch=master', first)
    git(first, 'commit', '--quiet', '--allow-empty', '--message', `${name} begins`)
    git(first, 'push', '--quiet', join(directory, `${name}.git`), 'master')
    execFileSync('rm', ['-rf', first])
  }
  return { directory, provider, environment: { PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}` } }
}

/** Brings the ticket, has it triaged, and chooses what it passes. From here on the server does the rest. */
export async function bring(served: ServedApi): Promise<string> {
  const post = async (path: string, body: unknown): Promise<TicketView> => {
    const answer = await served.ask(path, { method: 'POST', token: served.admin, body })
    assert.ok(answer.status < 300, answer.text)
    return TicketView.parse(answer.json())
  }
  const { id } = (await post('/tickets', DRAFT)).ticket
  await post(`/tickets/${id}/phases`, { phases: ['build', 'second-look', 'gate'] })
  assert.equal((await post(`/tickets/${id}/triage`, {})).ticket.state, 'todo')
  return id
}

export const ticketOf = async (served: ServedApi, id: string): Promise<TicketView> => TicketView.parse((await served.ask(`/tickets/${id}`, { token: served.admin })).json())
export const eventsOf = async (served: ServedApi, id: string): Promise<readonly TicketEvent[]> => Events.parse((await served.ask(`/tickets/${id}/events?limit=500`, { token: served.admin })).json()).events

/** Where every journey of the ticket ends, however often its server was killed: done once, proven, and on both remotes. */
export async function holdsAtTheEnd({ directory }: TicketExample, served: ServedApi, id: string): Promise<void> {
  const { ticket, status } = await ticketOf(served, id)
  assert.deepEqual([ticket.state, ticket.resolution, ticket.source?.reconciled, status.code, ticket.phase, ticket.review_rejections, ticket.dispatch_failures], ['closed', 'accepted', true, 'ticket_runtime_closed', 3, 1, 0])
  assert.deepEqual(ticket.acceptance.map(({ verdict, by, evidence }) => [verdict, by, evidence.length > 0]), [['pass', 'gate:acceptance', true]])
  const events = await eventsOf(served, id)
  const count = (kind: TicketEvent['kind']): number => events.filter((event) => event.kind === kind).length
  assert.deepEqual([count('triaged'), count('rejected'), count('turn_ended'), count('closed'), count('item_judged')], [1, 1, 1, 1, 1])
  // Each commit is there once: the rejected work, and the right one on it.
  assert.deepEqual(['app', 'console'].map((name) => git(join(directory, `${name}.git`), 'log', '--format=%s', 'master').split('\n')), [['slugify', 'slugify', 'app begins'], ['slugify', 'console begins']])
  const reports = ticket.runs.map((run) => Report.parse(JSON.parse(readFileSync(join(directory, '.portcullis/runs', run, 'report.json'), 'utf8'))))
  assert.deepEqual(reports.filter(({ status: ended }) => ended === 'pass').length, 1)
  const accepted = reports.find(({ status: ended }) => ended === 'pass')
  assert.deepEqual(accepted?.delivery?.map(({ name, ancestor }) => [name, ancestor]), [['app', true], ['console', true]])
  assert.deepEqual(accepted?.delivery?.map(({ done_sha: sha }) => sha), ['app', 'console'].map((name) => git(join(directory, `${name}.git`), 'rev-parse', 'master')))
  const verified = await runCli(['verify'], { cwd: directory, env: {} })
  assert.ok(verified.code === 0, verified.stdout)
}
