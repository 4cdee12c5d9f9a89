import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { verifies } from './verifies.ts'

const text = (name: string): string => readFileSync(join(import.meta.dirname, '..', name), 'utf8').replace(/\s+/g, ' ')

verifies('REL-10', 'the documentation promises exactly-once of the record alone, and says what an agent may do twice and how to tell attempts apart', () => {
  const workers = text('docs/workers.md')
  for (const sentence of [
    'Exactly-once is promised of the record, not of what an agent does outside.',
    'cannot be taken back; the next attempt may do it again',
    'At most one attempt is recorded as the result of an entry.',
    'Every attempt is a run of its own',
    'carries its run id and its epoch',
  ]) assert.ok(workers.includes(sentence), sentence)
  assert.ok(text('README.md').includes('(docs/workers.md)'), 'who reads the README finds it')
  // Nothing else promises more.
  for (const name of ['README.md', 'docs/agents.md', 'docs/coding-agents.md', 'docs/workers.md']) assert.doesNotMatch(text(name), /(runs|executes|performs|side effects?|agents?( is| are)?) exactly once/i, name)
})
