import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERROR_TABLE, PortcullisError, systemCode } from './errors.ts'
import { GATE_QUESTIONS, LIFECYCLE } from './lifecycle.ts'
import { exitCodeOf, REASON_TABLE, REASONS } from './reasons.ts'

test('a reason is lower_snake, has a title of its own and never ends in success', () => {
  const titles = Object.values(REASON_TABLE).map((row) => row.title)
  assert.equal(new Set(titles).size, titles.length)
  for (const reason of REASONS) {
    assert.match(reason, /^[a-z]+(_[a-z]+)*$/)
    const row = REASON_TABLE[reason]
    assert.ok(row.title.length > 0 && !row.title.endsWith('.'), reason)
    assert.ok(row.http >= 400 && row.http <= 599, reason)
    assert.ok([3, 4, 75].includes(row.exit), reason)
  }
  assert.deepEqual(REASONS, Object.keys(REASON_TABLE))
})

test('exit code 75, try later, is given only where trying later can help', () => {
  for (const reason of REASONS) if (REASON_TABLE[reason].exit === 75) assert.equal(REASON_TABLE[reason].retry, 'later', reason)
})

test('a run whose process had started failed; it was neither blocked nor is it to be retried blindly', () => {
  for (const reason of REASONS) {
    assert.equal(exitCodeOf(reason, true), 4, reason)
    assert.equal(exitCodeOf(reason, false), REASON_TABLE[reason].exit, reason)
  }
  assert.equal(exitCodeOf('missing_admission', false), 3)
  assert.equal(exitCodeOf('provider_overloaded', false), 75)
})

test('the refusals of admission are spelled as the documents spell them', () => {
  for (const status of ['missing_admission', 'mismatch', 'invalid_admission', 'not_admitted']) assert.ok(REASONS.some((reason) => reason === status), status)
  assert.equal(REASONS.some((reason) => (reason as string) === 'admitted'), false, 'admitted is no refusal')
})

test('no fault has the name of a refusal, and no fault ends in the exit code of one', () => {
  for (const [code, row] of Object.entries(ERROR_TABLE)) {
    assert.equal(Object.hasOwn(REASON_TABLE, code), false, code)
    assert.ok(row.exit === 1 || row.exit === 2, code)
  }
})

test('each gate has a question and a proof of its own', () => {
  assert.deepEqual(Object.keys(GATE_QUESTIONS), [...LIFECYCLE])
  assert.equal(new Set(LIFECYCLE.map((gate) => GATE_QUESTIONS[gate].grants)).size, LIFECYCLE.length)
  for (const gate of LIFECYCLE) assert.match(GATE_QUESTIONS[gate].question, /\?$/)
})

test('a fault says what was asked, what was found and what to do, and keeps its cause', () => {
  const cause = Object.assign(new Error('inner'), { code: 'ENOENT' })
  const fault = new PortcullisError('file_missing', { asked: 'task.yaml', found: 'no such file', remedy: 'name a file that exists', cause })
  assert.equal(fault.message, 'A file was not found: no such file')
  assert.deepEqual([fault.name, fault.code, fault.asked, fault.found, fault.remedy], ['PortcullisError', 'file_missing', 'task.yaml', 'no such file', 'name a file that exists'])
  assert.equal(fault.cause, cause)
  assert.equal(Object.hasOwn(new PortcullisError('usage', { asked: 'a', found: 'f', remedy: 'r' }), 'cause'), false)
})

test('the code of a system error is read, and nothing else is taken for one', () => {
  assert.equal(systemCode(Object.assign(new Error('x'), { code: 'EACCES' })), 'EACCES')
  for (const thrown of [new Error('x'), Object.assign(new Error('x'), { code: 5 }), { code: 'EACCES' }, 'EACCES', undefined, null]) assert.equal(systemCode(thrown), undefined)
})
