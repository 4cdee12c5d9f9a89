/**
 * `npm run bench:wire`: what a call through the wire costs, beside the bare pass-through and other gateways, in one run.
 * Contestants alternate, figures are medians of the rounds, and CPU is what the kernel charged to each process. `--write`
 * puts the table into docs/benchmarks.md.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openLedger } from '../src/adapters/store-sqlite/index.ts'
import { type Contestant, cpuMicroseconds, endAll, residentMb, startContestants, startProvider } from './bench-wire/contestants.ts'
import { closedLoop, disconnectingWave, JSON_100KB, JSON_2KB, type Load, openLoop, quantile, slowStreams, SSE_50 } from './bench-wire/load.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, json: { type: 'boolean' }, write: { type: 'boolean' }, portkey: { type: 'string' } } })
const rounds = values.quick === true ? 3 : 7
const perRound = values.quick === true ? 600 : 1_500
/** A contestant is measured as it serves after its first minutes: for some thousand requests V8 is still compiling it, and the more code it has the longer. */
const warmUp = values.quick === true ? 600 : 4_000
const note = (text: string): void => void process.stderr.write(`${text}\n`)

interface Row {
  readonly contestant: string
  /** CPU microseconds a request, by the name of the load; null if a request failed. */
  readonly cpu: Readonly<Record<string, number | null>>
}

async function cpuRows(contestants: readonly Contestant[], loads: readonly Load[]): Promise<Row[]> {
  const samples = new Map<string, (number | null)[]>()
  for (const contestant of contestants) for (const load of loads) await closedLoop(contestant, load, warmUp, 16).catch((error: unknown) => note(`${contestant.name}, ${load.name}: ${String(error)}`))
  for (let round = 0; round < rounds; round++) {
    note(`round ${round + 1} of ${rounds}`)
    for (const load of loads) {
      for (const contestant of contestants) {
        const before = cpuMicroseconds(contestant.pids)
        const rate = await closedLoop(contestant, load, perRound, 16).catch(() => null)
        const key = `${contestant.name}|${load.name}`
        samples.set(key, [...(samples.get(key) ?? []), rate === null ? null : (cpuMicroseconds(contestant.pids) - before) / perRound])
      }
    }
  }
  const figure = (taken: readonly (number | null)[]): number | null => (taken.includes(null) ? null : quantile(taken.map(Number), 0.5))
  return contestants.map(({ name }) => ({ contestant: name, cpu: Object.fromEntries(loads.map((load) => [load.name, figure(samples.get(`${name}|${load.name}`) ?? [null])])) }))
}

interface Latency {
  readonly p50AddedMs: number
  readonly p99AddedMs: number
}

async function latencyOf(direct: Contestant, ours: Contestant): Promise<Latency> {
  const seconds = values.quick === true ? 2 : 5
  const added: Latency[] = []
  for (let round = 0; round < 3; round++) {
    const [there, through] = [await openLoop(direct, JSON_2KB, 200, seconds), await openLoop(ours, JSON_2KB, 200, seconds)]
    added.push({ p50AddedMs: quantile(through, 0.5) - quantile(there, 0.5), p99AddedMs: quantile(through, 0.99) - quantile(there, 0.99) })
  }
  return { p50AddedMs: quantile(added.map((each) => each.p50AddedMs), 0.5), p99AddedMs: quantile(added.map((each) => each.p99AddedMs), 0.5) }
}

/** What one durable commit takes on this disk, in milliseconds: no call with evidence can be faster. */
async function commitMs(place: string): Promise<number> {
  const ledger = await openLedger(join(place, 'commit.db'))
  const { runId } = await ledger.begin({ kind: 'task', taskId: 'bench', startedAt: new Date() })
  const body = JSON.stringify({ text: 'y'.repeat(1_000) })
  const times: number[] = []
  for (let count = 0; count < 300; count++) {
    const began = performance.now()
    await ledger.append({ runId, sealed: [{ body, digest: '0'.repeat(64) }] })
    times.push(performance.now() - began)
  }
  await ledger.close()
  return quantile(times, 0.5)
}

interface Figures {
  readonly commitMs: number
  readonly rows: readonly Row[]
  readonly latency: Latency
  readonly streams: { readonly p99LateMs: number; readonly directP99LateMs: number; readonly residentMb: number }
  readonly waves: { readonly before: number; readonly after: number }
}

async function measure(): Promise<Figures> {
  const place = mkdtempSync(join(tmpdir(), 'portcullis-bench-wire-'))
  try {
    const provider = await startProvider()
    const contestants = await startContestants(provider.port, place, values.portkey)
    const [direct] = contestants
    const ours = contestants.find(({ name }) => name === 'portcullis, evidence on')
    if (direct === undefined || ours === undefined) throw new Error('a contestant is missing')
    const rows = await cpuRows(contestants.slice(1), [JSON_2KB, JSON_100KB, SSE_50])
    note('latency at 200 requests a second')
    const commit = await commitMs(place)
    const latency = await latencyOf(direct, ours)
    note('1,000 slow streams')
    const directP99LateMs = quantile(await slowStreams(direct, 1_000), 0.99)
    const p99LateMs = quantile(await slowStreams(ours, 1_000), 0.99)
    const streams = { directP99LateMs, p99LateMs, residentMb: residentMb(ours.pids[0] ?? 0) }
    note('waves of clients that leave')
    const before = await closedLoop(ours, JSON_2KB, perRound, 16)
    for (let wave = 0; wave < 5; wave++) await disconnectingWave(ours, 300)
    return { commitMs: commit, rows, latency, streams, waves: { before, after: await closedLoop(ours, JSON_2KB, perRound, 16) } }
  } finally {
    endAll()
    rmSync(place, { recursive: true, force: true })
  }
}

const cpuOf = ({ rows }: Figures, contestant: string, load: Load): number | null => rows.find((row) => row.contestant === contestant)?.cpu[load.name] ?? null
const OURS = 'portcullis, evidence on'
const BARE = 'bare pass-through'

/** Each requirement with its target and what was measured. A figure that is missing meets nothing. */
function judged(figures: Figures): (readonly [id: string, what: string, target: string, measured: string, met: boolean])[] {
  const ratio = (above: number | null, below: number | null): number | null => (above === null || below === null || below === 0 ? null : above / below)
  const timesBare = (load: Load, limit: number) => {
    const value = ratio(cpuOf(figures, OURS, load), cpuOf(figures, BARE, load))
    return ['WIR-50', `CPU over the bare pass-through, ${load.name}`, `at most ${limit.toFixed(1)}x`, value === null ? 'not measured' : `${value.toFixed(2)}x`, value !== null && value <= limit] as const
  }
  const lessThanPortkey = (load: Load, limit: number) => {
    const value = ratio(cpuOf(figures, 'Portkey gateway', load), cpuOf(figures, OURS, load))
    return ['WIR-51', `CPU less than Portkey's gateway, ${load.name}`, `at least ${limit.toFixed(1)}x`, value === null ? 'not measured' : `${value.toFixed(2)}x`, value !== null && value >= limit] as const
  }
  const { commitMs: commit, latency, streams, waves } = figures
  return [
    timesBare(JSON_2KB, 1.5), timesBare(JSON_100KB, 2), timesBare(SSE_50, 1.2),
    lessThanPortkey(JSON_2KB, 8), lessThanPortkey(SSE_50, 3),
    ['WIR-52', `added latency at 200 requests/s, p50 (one durable commit on this disk takes ${commit.toFixed(2)} ms)`, 'at most 0.4 ms', `${latency.p50AddedMs.toFixed(2)} ms`, latency.p50AddedMs <= 0.4],
    ['WIR-52', 'added latency at 200 requests/s, p99', 'at most 3 ms', `${latency.p99AddedMs.toFixed(2)} ms`, latency.p99AddedMs <= 3],
    ['WIR-53', '1,000 slow streams, an event late at p99 (direct in brackets)', 'at most 20 ms', `${streams.p99LateMs} ms (${streams.directP99LateMs} ms)`, streams.p99LateMs <= 20],
    ['WIR-53', '1,000 slow streams, resident memory', 'under 400 MB', `${streams.residentMb.toFixed(0)} MB`, streams.residentMb < 400],
    ['WIR-55', 'requests a second after five waves of 300 clients that leave', 'as before', `${waves.after.toFixed(0)} after ${waves.before.toFixed(0)}`, waves.after >= waves.before * 0.8],
  ]
}

function rendered(figures: Figures): string {
  const loads = [JSON_2KB, JSON_100KB, SSE_50]
  const cell = (value: number | null, bare: number | null): string => (value === null ? 'failed' : `${value.toFixed(0)} us${bare === null ? '' : ` (${(value / bare).toFixed(2)}x)`}`)
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release().split('-')[0]}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}, ${rounds} alternating rounds of ${perRound} requests on 16 connections`
  const lines = [
    `Machine: ${machine}.`,
    '',
    `| CPU a request (and times the bare pass-through) | ${loads.map(({ name }) => name).join(' | ')} |`,
    `| --- | ${loads.map(() => '---').join(' | ')} |`,
    ...figures.rows.map(({ contestant, cpu }) => `| ${contestant} | ${loads.map((load) => cell(cpu[load.name] ?? null, cpuOf(figures, BARE, load))).join(' | ')} |`),
    '',
    '| id | figure | target | measured | |',
    '| --- | --- | --- | --- | --- |',
    ...judged(figures).map(([id, what, target, measured, met]) => `| ${id} | ${what} | ${target} | ${measured} | ${met ? 'met' : measured === 'not measured' ? 'not measured' : 'missed'} |`),
  ]
  return `${lines.join('\n')}\n`
}

const figures = await measure()
const text = rendered(figures)
if (values.json === true) process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`)
else process.stdout.write(text)
if (values.write === true) {
  const file = join(import.meta.dirname, '../docs/benchmarks.md')
  const document = readFileSync(file, 'utf8')
  const placed = document.replace(/(<!-- bench:wire:begin -->\n)[^]*?(<!-- bench:wire:end -->)/, (_all, begin: string, end: string) => `${begin}${text}${end}`)
  if (placed === document) note('docs/benchmarks.md is unchanged: it has no place for the table, or the same one')
  writeFileSync(file, placed)
}
