import { processRow } from '../../src/adapters/process/process-table.ts'

/**
 * True while a process runs. One that has ended and that nobody has collected yet does not: where the first process of the
 * machine collects no orphans, as in many containers, `kill(pid, 0)` finds it for ever.
 */
export const processLives = (pid: number): boolean => processRow(pid)?.alive ?? false
