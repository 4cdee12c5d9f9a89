import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { verifies } from '../../test/verifies.ts'
import { canonicalJson, deepFreeze, digestOf, printDigest, sha256 } from './canonical.ts'

// RFC 8785, appendix B: the bits of an IEEE 754 double and how it must be printed.
const NUMBERS: readonly (readonly [bits: string, printed: string])[] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
]

verifies('EVD-02', 'numbers are printed as RFC 8785 appendix B prints them', () => {
  for (const [bits, printed] of NUMBERS) {
    const double = new DataView(new ArrayBuffer(8))
    double.setBigUint64(0, BigInt(`0x${bits}`))
    assert.equal(canonicalJson(double.getFloat64(0)), printed, bits)
  }
})

verifies('EVD-02', 'the example of RFC 8785 section 3.2.2 is printed as the RFC prints it', () => {
  const input: unknown = JSON.parse(
    '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
  )
  const expected = '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
  assert.equal(canonicalJson(input), expected)
  // The same bytes as RFC 8785 section 3.2.4 lists them, in hex.
  const listed =
    '7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a5b3333333333333333332e333333333333332c31652b33302c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d'
  assert.equal(Buffer.from(canonicalJson(input)).toString('hex'), listed)
})

verifies('EVD-02', 'keys are sorted by UTF-16 code unit, as in RFC 8785 section 3.2.3', () => {
  const input = { '€': 'Euro Sign', '\r': 'Carriage Return', '\ufb33': 'Hebrew Letter Dalet With Dagesh', '1': 'One', '😀': 'Emoji: Grinning Face', '\u0080': 'Control', 'ö': 'Latin Small Letter O With Diaeresis' }
  const order = Object.values(JSON.parse(canonicalJson(input)) as Record<string, string>)
  // The digit comes first in any JavaScript object; the text itself is checked below.
  assert.deepEqual(order, ['One', 'Carriage Return', 'Control', 'Latin Small Letter O With Diaeresis', 'Euro Sign', 'Emoji: Grinning Face', 'Hebrew Letter Dalet With Dagesh'])
  const positions = ['Carriage Return', 'One', 'Control', 'Latin', 'Euro', 'Emoji', 'Hebrew'].map((word) => canonicalJson(input).indexOf(word))
  assert.deepEqual(positions, positions.toSorted((a, b) => a - b))
})

test('the digest does not depend on the order in which keys were written', () => {
  assert.equal(digestOf({ b: 1, a: [null, 'é'] }), digestOf({ a: [null, 'é'], b: 1 }))
  assert.notEqual(digestOf(['a', 'b']), digestOf(['b', 'a']))
})

test('a member that is undefined is left out, as in JSON', () => {
  assert.equal(canonicalJson({ a: undefined, b: 1 }), '{"b":1}')
})

test('a key that JavaScript treats specially is a key like any other', () => {
  assert.equal(canonicalJson(JSON.parse('{"__proto__":{"admin":true},"a":1}')), '{"__proto__":{"admin":true},"a":1}')
})

for (const [what, value] of [
  ['a lone high surrogate', '\ud800'],
  ['a lone low surrogate', 'a\udc00'],
  ['a lone surrogate in a key', { '\ud800': 1 }],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['undefined', undefined],
  ['undefined in an array', [undefined]],
  ['a bigint', 1n],
  ['a symbol', Symbol('a')],
  ['a function', () => 1],
  ['an object with toJSON', { toJSON: () => 'something else' }],
  ['a Date', new Date(0)],
  ['a Map', new Map([['a', 1]])],
  ['a Set', new Set([1])],
  ['a Buffer', Buffer.from('a')],
  ['an Error', new Error('a')],
  ['a URL', new URL('http://localhost')],
  ['a regular expression', /a/],
  ['a boxed string', Object('a')],
] as const) {
  test(`${what} is refused: a digest of a guess is worse than none`, () => {
    assert.throws(() => canonicalJson(value), TypeError)
    assert.throws(() => canonicalJson({ nested: [value] }), TypeError)
  })
}

test('an array with holes is refused', () => {
  const holes = [1]
  holes[2] = 3
  assert.throws(() => canonicalJson(holes), TypeError)
})

test('a circular value is refused', () => {
  const circular: unknown[] = []
  circular.push(circular)
  assert.throws(() => canonicalJson(circular), RangeError)
})

test('what is parsed from canonical JSON is what was given, and canonicalises to the same text', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      const text = canonicalJson(value)
      const parsed: unknown = JSON.parse(text)
      assert.deepEqual(parsed, JSON.parse(JSON.stringify(value)))
      assert.equal(canonicalJson(parsed), text)
    }),
  )
})

test('canonical JSON is stable under any permutation of keys', () => {
  const permuted = fc
    .uniqueArray(fc.tuple(fc.string({ unit: 'binary' }), fc.jsonValue()), { selector: ([key]) => key })
    .chain((entries) => fc.tuple(fc.constant(entries), fc.shuffledSubarray(entries, { minLength: entries.length })))
  fc.assert(
    fc.property(permuted, ([entries, shuffled]) => {
      assert.equal(canonicalJson(Object.fromEntries(entries)), canonicalJson(Object.fromEntries(shuffled)))
    }),
  )
})

test('two different values never share their canonical JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
      const same = JSON.stringify(one) === JSON.stringify(other)
      if (same) assert.equal(canonicalJson(one), canonicalJson(other))
      else if (canonicalJson(one) === canonicalJson(other)) assert.deepEqual(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other)))
    }),
  )
})

test('SHA-256 is the one everybody else computes', () => {
  assert.equal(sha256('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  assert.equal(sha256(new Uint8Array()), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  assert.equal(digestOf({}), sha256('{}'))
  assert.equal(printDigest('ab'), 'sha256:ab')
})

test('deepFreeze freezes what lies inside, also below something already frozen', () => {
  const value = deepFreeze(Object.freeze({ list: [{ a: 1 }], nothing: null }))
  assert.throws(() => value.list.push({ a: 2 }), TypeError)
  assert.throws(() => Object.assign(value.list[0] ?? {}, { a: 2 }), TypeError)
  const bytes = Buffer.from('a')
  assert.equal(deepFreeze({ bytes }).bytes, bytes)
})
