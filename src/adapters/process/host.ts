import { readFileSync } from 'node:fs'
import type { MachineClock } from '../../contract/clock.ts'
import type { RunHost } from '../../engine/index.ts'
import { processRow } from './process-table.ts'

/** This process, as another one can recognise it later: its pid alone may belong to somebody else by then. */
export function thisProcess(): RunHost {
  const row = processRow(process.pid)
  return { pid: process.pid, startTicks: row?.startTicks ?? 0, boot: bootId() }
}

/** True if that very process still runs on this machine, since the same boot. */
export function isRunning({ pid, startTicks, boot }: RunHost): boolean {
  if (boot !== bootId()) return false
  const row = processRow(pid)
  return row !== undefined && row.alive && row.startTicks === startTicks
}

const NANOSECONDS = 1_000_000n

/** The monotonic clock of the system, which every process of this machine reads alike. It stands still while the machine sleeps, as whoever holds a lease does. */
export function machineClock(): MachineClock {
  const boot = bootId()
  return () => ({ boot, ms: Number(process.hrtime.bigint() / NANOSECONDS) })
}

/** Where the system has no such id, the process table alone must tell. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return 'unknown'
  }
}
