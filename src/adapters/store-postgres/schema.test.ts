import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONSTRAINT_STATEMENTS, TABLE_STATEMENTS, tableShapes } from '../store-sqlite/index.ts'
import { postgresConstraints, postgresTables } from './schema.ts'

test('every table, index and refusal of the embedded store is said for PostgreSQL, and none may be emptied', () => {
  const named = (statements: readonly string[], kind: RegExp): string[] => statements.flatMap((statement) => kind.exec(statement)?.[1] ?? [])
  assert.ok(tableShapes().length >= 18 && CONSTRAINT_STATEMENTS.length > 50)
  assert.deepEqual(named(postgresTables(), /^CREATE (?:UNIQUE )?(?:TABLE|INDEX) (\w+)/), named(TABLE_STATEMENTS, /^CREATE (?:UNIQUE )?(?:TABLE|INDEX) (\w+)/))
  const triggers = named(postgresConstraints(), /^CREATE TRIGGER (\w+)/)
  assert.deepEqual(triggers, [...named(CONSTRAINT_STATEMENTS, /^CREATE TRIGGER (\w+)/), ...tableShapes().map(({ name }) => `${name}_is_not_emptied`)])
})

test('the tables of a copy are all that there are, with what tells their rows apart', () => {
  const shapes = new Map(tableShapes().map(({ name, key, columns }) => [name, { key, columns: columns.length }]))
  assert.deepEqual(shapes.get('entry'), { key: ['position'], columns: 8 })
  assert.deepEqual(shapes.get('tree'), { key: ['level', 'number'], columns: 3 })
  assert.deepEqual(shapes.get('kept_answer')?.key, ['holder', 'key'])
})
