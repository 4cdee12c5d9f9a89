import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsOfShape, JsonShape } from './index.ts'

/** A shape, values that have it, and values that do not, each with the one fault that is told. */
const CASES: readonly (readonly [shape: unknown, fits: readonly unknown[], wrong: readonly (readonly [value: unknown, fault: string])[]])[] = [
  [{ type: 'null' }, [null], [[0, 'the value is an integer, not null'], [undefined, 'the value is missing, not null']]],
  [{ type: 'boolean' }, [true, false], [[null, 'the value is null, not a boolean']]],
  [{ type: 'boolean', const: true }, [true], [[false, 'the value is not true']]],
  [{ type: 'string', minLength: 2, maxLength: 3 }, ['ab', 'abc'], [['a', 'the length of the value is 1, less than 2'], ['abcd', 'the length of the value is 4, more than 3'], [12, 'the value is an integer, not a string']]],
  [{ type: 'string', const: 'a' }, ['a'], [['b', 'the value is not "a"']]],
  [{ type: 'string', enum: ['a', 'b'] }, ['a', 'b'], [['c', 'the value is none of ["a","b"]']]],
  [{ type: 'integer', minimum: 1, maximum: 2 }, [1, 2], [[0, 'the value is 0, less than 1'], [3, 'the value is 3, more than 2'], [1.5, 'the value is a number, not an integer']]],
  [{ type: 'number' }, [1, 1.5], [['1', 'the value is a string, not a number']]],
  [{ type: 'number', const: 1.5 }, [1.5], [[1, 'the value is not 1.5']]],
  [{ type: 'integer', enum: [1] }, [1], [[2, 'the value is none of [1]']]],
  [{ type: 'array' }, [[], [1, 'a']], [[{}, 'the value is an object, not an array']]],
  [{ type: 'array', items: { type: 'integer' }, minItems: 1, maxItems: 2 }, [[1], [1, 2]], [[[], 'the number of items of the value is 0, less than 1'], [[1, 2, 3], 'the number of items of the value is 3, more than 2'], [[1, 'a'], '/1 is a string, not an integer']]],
  [{ type: 'object' }, [{}, { a: 1 }], [[[], 'the value is an array, not an object']]],
  [{ type: 'object', properties: { a: { type: 'integer' }, b: { type: 'string' } }, required: ['a'] }, [{ a: 1 }, { a: 1, b: 'x', c: 2 }], [[{ b: 'x' }, '/a is missing, not an integer'], [{ a: 1, b: 2 }, '/b is an integer, not a string']]],
  [{ type: 'object', properties: { a: { type: 'integer' } }, additionalProperties: false }, [{}, { a: 1 }], [[{ a: 1, b: 2 }, 'the value has a property that nobody named'], [{ b: 1, c: 2 }, 'the value has 2 properties that nobody named']]],
  [{ type: 'object', additionalProperties: false }, [{}], [[{ a: 1 }, 'the value has a property that nobody named']]],
  [{ type: 'object', properties: { a: { type: 'array', items: { type: 'object', properties: { b: { type: 'null' } }, additionalProperties: false } } } }, [{ a: [{ b: null }] }], [[{ a: [{}, { c: 1 }] }, '/a/1 has a property that nobody named']]],
]

test('a value has a shape, or is told where it has not, and is never quoted', () => {
  for (const [given, fits, wrong] of CASES) {
    const shape = JsonShape.parse(given)
    for (const value of fits) assert.deepEqual(faultsOfShape(shape, value, 5), [], JSON.stringify([given, value]))
    for (const [value, fault] of wrong) assert.deepEqual(faultsOfShape(shape, value, 5), [fault], JSON.stringify([given, value]))
  }
})

test('all that is wrong is told, up to as much as was asked for', () => {
  const shape = JsonShape.parse({ type: 'array', items: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } }, required: ['a', 'b'] } })
  const value = [{}, { a: 1, b: 1 }]
  const all = ['/0/a is missing, not a string', '/0/b is missing, not a string', '/1/a is an integer, not a string', '/1/b is an integer, not a string']
  for (const most of [1, 2, 3, 4, 5]) assert.deepEqual(faultsOfShape(shape, value, most), all.slice(0, most))
})

test('a shape describes whatever it requires', () => {
  for (const required of [['a'], ['a', 'b'], ['toString']]) assert.equal(JsonShape.safeParse({ type: 'object', properties: { b: { type: 'null' } }, required }).success, false, required.join())
  assert.equal(JsonShape.safeParse({ type: 'object', required: ['a'] }).success, false)
  assert.equal(JsonShape.safeParse({ type: 'object', properties: { a: { type: 'null' } }, required: ['a'] }).success, true)
})
