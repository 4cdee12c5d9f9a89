import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseProcessStatus, parseStat, processRow, processTable } from './process-table.ts'

test('a stat line is read from behind the name, whatever the name holds', () => {
  const fields = '5 6 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 1000 100'
  assert.deepEqual(parseStat(`42 (a) S 1 ) (b) S ${fields}`), { pid: 42, parent: 5, group: 6, session: 7, alive: true, startTicks: 12_345 })
  assert.equal(parseStat(`42 (a) Z ${fields}`)?.alive, false)
  assert.equal(parseStat(''), undefined)
  assert.equal(parseStat('42 (a) S 1 2'), undefined)
})

test('what ps prints elsewhere is read line by line, and a line that is none is left out', () => {
  const text = '    1     0     1      0 Ss   Fri Nov 20 23:22:01 2026\n  77     1    70     70 Z+   Fri Nov 20 23:22:05 2026\nnoise\n'
  assert.deepEqual(parseProcessStatus(text), [
    { pid: 1, parent: 0, group: 1, session: 0, alive: true, startTicks: Date.parse('Fri Nov 20 23:22:01 2026') },
    { pid: 77, parent: 1, group: 70, session: 70, alive: false, startTicks: Date.parse('Fri Nov 20 23:22:05 2026') },
  ])
})

test('the table holds this process, and no process has pid 0', () => {
  assert.equal(processTable().find((row) => row.pid === process.pid)?.parent, process.ppid)
  assert.equal(processRow(process.pid)?.alive, true)
  assert.equal(processRow(0), undefined)
})
