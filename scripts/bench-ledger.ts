import { spawnSync } from 'node:child_process'
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { trustedKeys } from '../src/adapters/keys/index.ts'
import { openLedger, openLedgerForReading } from '../src/adapters/store-sqlite/index.ts'
import { canonicalJson, sha256 } from '../src/contract/canonical.ts'
import { auditLedger, type LedgerWrite } from '../src/engine/index.ts'

const ROWS = 1_000_000
const FILLED_TOGETHER = 500
const SINGLES = 2_000
const SYNCS = 1_000
const GROUPS = 2_000
const GROUP_ROWS = 20
/** About the size of a small piece of evidence. */
const TEXT = 'x'.repeat(300)

/** What EVD-11 asks for. */
const TARGETS = { verifySeconds: 10, verifyMegabytes: 300, singlesPerSecond: 1_000, groupedPerSecond: 30_000 } as const

const Appended = z.object({ syncsPerSecond: z.number(), singlesPerSecond: z.number(), groupedPerSecond: z.number() })
const Verified = z.object({ rows: z.number(), verifySeconds: z.number(), verifyMegabytes: z.number() })
export type LedgerFigures = z.infer<typeof Appended> & z.infer<typeof Verified>

/** Evidence as the wire hands it over, its digest known already. */
const evidence = (count: number, from: number): NonNullable<LedgerWrite['sealed']> =>
  Array.from({ length: count }, (_each, index) => {
    const body = canonicalJson({ row: from + index, text: TEXT })
    return { body, digest: sha256(body) }
  })
const begin = { kind: 'task', taskId: 'bench', startedAt: new Date(0) } as const

/** Rows a second, each commit with a signed checkpoint and acknowledged before the next is asked for. */
async function append(directory: string): Promise<z.infer<typeof Appended>> {
  const ledger = await openLedger(join(directory, 'ledger.db'))
  const { runId } = await ledger.begin(begin)
  const perSecond = async (writes: number, rows: number): Promise<number> => {
    const batches = Array.from({ length: writes }, (_each, index) => evidence(rows, index * rows))
    const startedAtMs = performance.now()
    for (const batch of batches) await ledger.append({ runId, sealed: batch })
    return (writes * rows * 1_000) / (performance.now() - startedAtMs)
  }
  await perSecond(200, 1)
  const figures = { syncsPerSecond: syncs(directory), singlesPerSecond: await perSecond(SINGLES, 1), groupedPerSecond: await perSecond(GROUPS, GROUP_ROWS) }
  await ledger.close()
  return figures
}

/** How often a second the disk takes a page and says that it has it: no store that waits for the disk commits more often. */
function syncs(directory: string): number {
  const file = openSync(join(directory, 'page'), 'w')
  const page = Buffer.alloc(4_096)
  const startedAtMs = performance.now()
  for (let count = 0; count < SYNCS; count++) {
    writeSync(file, page)
    fsyncSync(file)
  }
  const elapsedMs = performance.now() - startedAtMs
  closeSync(file)
  return (SYNCS * 1_000) / elapsedMs
}

/** Fills a ledger; a run for every five hundred rows. */
async function fill(directory: string): Promise<Record<string, never>> {
  const ledger = await openLedger(join(directory, 'ledger.db'))
  for (let from = 0; from < ROWS; from += FILLED_TOGETHER) {
    const { runId } = await ledger.begin(begin)
    await ledger.append({ runId, sealed: evidence(FILLED_TOGETHER, from), state: { to: 'blocked', reason: 'mismatch', at: new Date(0) } })
  }
  await ledger.close()
  return {}
}

async function verify(directory: string): Promise<z.infer<typeof Verified>> {
  const ledger = await openLedgerForReading(join(directory, 'ledger.db'))
  const startedAtMs = performance.now()
  const { problems, rows } = await ledger.snapshot((view) => auditLedger(view, { keys: trustedKeys(join(directory, 'keys')), anchors: [] }))
  const verifySeconds = (performance.now() - startedAtMs) / 1_000
  await ledger.close()
  if (problems.length > 0) throw new Error(`the ledger of the benchmark does not verify: ${JSON.stringify(problems[0])}`)
  return { rows, verifySeconds, verifyMegabytes: process.resourceUsage().maxRSS / 1_024 }
}

const PARTS = { append, fill, verify } as const

/** Each part is a process of its own, so that none is charged with the memory of another. */
function inProcess(part: keyof typeof PARTS, directory: string): unknown {
  const { status, stdout, stderr } = spawnSync(process.execPath, [import.meta.filename, '--part', part, '--directory', directory], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`Expected the part ${part} to end in 0, got ${status}:\n${stderr}`)
  return JSON.parse(stdout)
}

/** The figures of EVD-11, on the disk that holds temporary files. Takes a minute or more, and two gigabytes. */
export function measureLedger(): LedgerFigures {
  const place = mkdtempSync(join(tmpdir(), 'portcullis-bench-ledger-'))
  try {
    const appended = Appended.parse(inProcess('append', join(place, 'append')))
    inProcess('fill', join(place, 'full'))
    return { ...appended, ...Verified.parse(inProcess('verify', join(place, 'full'))) }
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** The figures beside what was asked for, as lines of a table. */
export function printLedger({ rows, verifySeconds, verifyMegabytes, syncsPerSecond, singlesPerSecond, groupedPerSecond }: LedgerFigures): string {
  const line = (what: string, target: string, measured: string, met: boolean): string => `${what.padEnd(58)} ${target.padEnd(22)} ${measured.padStart(14)}   ${met ? 'met' : 'missed'}\n`
  const whole = (value: number): string => Math.round(value).toLocaleString('en')
  return [
    line(`verify ${whole(rows)} rows`, `at most ${TARGETS.verifySeconds} s`, `${verifySeconds.toFixed(1)} s`, verifySeconds <= TARGETS.verifySeconds),
    line('memory of it, resident', `under ${TARGETS.verifyMegabytes} MB`, `${whole(verifyMegabytes)} MB`, verifyMegabytes < TARGETS.verifyMegabytes),
    line('appends with a signed checkpoint, one at a time', `${whole(TARGETS.singlesPerSecond)} rows/s`, `${whole(singlesPerSecond)} rows/s`, singlesPerSecond >= TARGETS.singlesPerSecond),
    line(`appends with a signed checkpoint, ${GROUP_ROWS} together`, `${whole(TARGETS.groupedPerSecond)} rows/s`, `${whole(groupedPerSecond)} rows/s`, groupedPerSecond >= TARGETS.groupedPerSecond),
    `${'pages that this disk takes, each waited for'.padEnd(81)} ${`${whole(syncsPerSecond)} a second`.padStart(14)}\n`,
  ].join('')
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { part: { type: 'string' }, directory: { type: 'string' } } })
  const part = Object.entries(PARTS).find(([name]) => name === values.part)?.[1]
  if (part === undefined || values.directory === undefined) process.stdout.write(printLedger(measureLedger()))
  else process.stdout.write(JSON.stringify(await part(values.directory)))
}
