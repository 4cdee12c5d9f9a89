import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shareSchemas } from './shared-schemas.ts'

const person = { type: 'object', properties: { name: { type: 'string' }, born: { type: 'string' }, home: { type: 'object', properties: { street: {}, town: {}, land: {} } } } }
const small = { type: 'object', properties: { id: { type: 'string' } } }
const answer = (operationId: string, schema: object): object => ({ operationId, responses: { 200: { content: { 'application/json': { schema } } } } })

/** The document with each reference replaced by what it refers to. */
function spelledOut(value: unknown, schemas: Readonly<Record<string, unknown>>): unknown {
  if (Array.isArray(value)) return value.map((member) => spelledOut(member, schemas))
  if (typeof value !== 'object' || value === null) return value
  if ('$ref' in value) {
    const found = schemas[String(value.$ref).replace('#/components/schemas/', '')]
    assert.ok(found !== undefined, String(value.$ref))
    return spelledOut(found, schemas)
  }
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, spelledOut(member, schemas)]))
}

test('what stands in several places stands once, by a name of its place, and everything else where it was', () => {
  const paths = { '/a': { get: answer('listPeople', { type: 'object', properties: { people: { type: 'array', items: person }, next: small, last: small } }) }, '/b': { get: answer('showPerson', person) }, '/c': { get: answer('showHome', person.properties.home) } }
  const shared = shareSchemas(paths, { Problem: { type: 'object' } })
  assert.deepEqual(Object.keys(shared.schemas), ['Problem', 'ListPeoplePeople', 'ListPeoplePeopleHome'])
  assert.deepEqual(spelledOut(shared.paths, shared.schemas), paths)
  assert.equal(JSON.stringify(shared).match(/street/g)?.length, 1)
  assert.deepEqual(shareSchemas(paths, {}), shareSchemas(structuredClone(paths), {}))
})

test('two shapes of one place have two names, and a name that is given is not taken', () => {
  const other = { ...person, description: 'another' }
  const paths = { '/a': { get: answer('show', { anyOf: [person, other] }), post: answer('show', { anyOf: [person, other] }) } }
  const shared = shareSchemas(paths, { Show: { type: 'object' } })
  assert.equal(new Set(Object.keys(shared.schemas)).size, 4, 'the given one, both people, and the home that they share')
  assert.deepEqual(shared.schemas['Show'], { type: 'object' })
  assert.deepEqual(spelledOut(shared.paths, shared.schemas), paths)
})
