import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { casesOf } from '../../../test/cases.ts'
import { verifies } from '../../../test/verifies.ts'
import { MAX_JSON_DEPTH, scanObject } from './json-scan.ts'
import { locateModel, MAX_MODEL_NAME_LENGTH, replaceModel } from './model-field.ts'

const bytes = (text: string): Buffer => Buffer.from(text)

function modelOf(text: string): string {
  const field = locateModel(bytes(text))
  assert.ok(field.found, field.found ? '' : field.detail)
  assert.equal(JSON.stringify(field.model), JSON.stringify(JSON.parse(bytes(text).subarray(field.start, field.end).toString())))
  return field.model
}

function refused(body: string | Uint8Array): string {
  const field = locateModel(typeof body === 'string' ? bytes(body) : body)
  assert.equal(field.found, false, `expected a refusal of ${JSON.stringify(body).slice(0, 80)}`)
  return field.found ? '' : field.detail
}

void test('each byte at each place of a string is taken or refused as JSON.parse does, though four are read at once', () => {
  for (let byte = 0; byte < 128; byte++) {
    for (let place = 0; place < 12; place++) {
      const body = Buffer.from(`{"m":"${'y'.repeat(place)}${String.fromCharCode(byte)}yyyyyyy"}`)
      assert.equal(scanObject(body).ok, byte >= 0x20 && byte !== 0x22 && byte !== 0x5c, `byte ${byte} at ${place}`)
      assert.equal(scanObject(body.subarray(0, 6 + place)).ok, false)
    }
  }
  for (const text of ['äöü', '\u{1F600}', '\u007f\u0080']) for (let place = 0; place < 5; place++) assert.equal(scanObject(bytes(JSON.stringify({ m: 'y'.repeat(place) + text }))).ok, true)
})

void test('the same in a long string, of which sixteen are read at once: before, at and behind the place where that begins', () => {
  for (const byte of [0x00, 0x01, 0x09, 0x0a, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x5b, 0x5c, 0x5d, 0x7f]) {
    for (const place of [0, 1, 3, 507, 508, 511, 512, 513, 515, 520, 527, 528, 529, 1_000, 1_015, 1_016]) {
      for (const rest of [0, 1, 15, 16, 40]) {
        const body = Buffer.from(`{"m":"${'y'.repeat(place)}${String.fromCharCode(byte)}yyyyyyy${'z'.repeat(rest)}","n":"${'y'.repeat(600)}"}`)
        assert.equal(scanObject(body).ok, byte >= 0x20 && byte !== 0x22 && byte !== 0x5c, `byte ${byte} at ${place}`)
        assert.equal(scanObject(new Uint8Array(body)).ok, scanObject(body).ok)
      }
    }
  }
})

void test('many long strings, and one that is broken by escapes, are read in linear time', () => {
  const many = bytes(`{"a":[${`"${'y'.repeat(600)}",`.repeat(20_000)}0]}`)
  const broken = bytes(`{"a":"${`${'y'.repeat(600)}\\n`.repeat(20_000)}"}`)
  const before = process.cpuUsage()
  for (const body of [many, broken]) assert.equal(scanObject(body).ok, true)
  const { user, system } = process.cpuUsage(before)
  // Gone through once for each string, it would be two hundred thousand million bytes.
  assert.ok(user + system < 5_000_000, `${user + system} us`)
})

void test('the model is found wherever it stands at the top level', () => {
  assert.equal(modelOf('{"model":"coder-1"}'), 'coder-1')
  assert.equal(modelOf(' \n{ "a" : [1, {"model": "inner"}] , "model" :\t"coder-1" , "z": "\\"model\\":\\"no\\"" } \r\n'), 'coder-1')
  assert.equal(modelOf('{"messages":[{"content":"\\\\"}],"model":"a\\u0062"}'), 'ab')
})

verifies('WIR-40', 'duplicate, nested, escaped, misspelt and quoted "model" keys are refusals, never a guess', () => {
  assert.match(refused('{"model":"a","model":"a"}'), /two top-level/)
  assert.match(refused('{"model":"a","x":1,"model":"b"}'), /two top-level/)
  assert.match(refused('{"messages":[{"model":"inner"}]}'), /without a top-level/)
  assert.match(refused('{"text":"\\"model\\":\\"a\\""}'), /without a top-level/)
  assert.match(refused('{"mod\\u0065l":"a"}'), /another parser/)
  assert.match(refused('{"model":"a","\\u006dodel":"b"}'), /another parser/)
  assert.match(refused('{"model":"a","Model":"b"}'), /another parser/)
  assert.match(refused('{"MODEL":"a"}'), /another parser/)
  for (const value of ['1', 'true', '["a"]', '{"a":1}']) assert.match(refused(`{"model":${value}}`), /not a string/)
  for (const value of ['null', '""']) assert.match(refused(`{"model":${value}}`), /names nothing/)
  assert.match(refused(`{"model":"${'m'.repeat(MAX_MODEL_NAME_LENGTH + 1)}"}`), /longer/)
  assert.match(refused('{"model":"a\\nb"}'), /not printable/)
  assert.match(refused('{"model":"\\ud800"}'), /not printable/)
})

verifies('WIR-40', 'what is no single JSON object of valid UTF-8 and sane depth is refused', () => {
  for (const body of ['', ' ', '[]', '"model"', 'null', '{', '{"model":"a"', '{"model":"a"}x', '{"model":"a"}{}', '{"model":"a",}', '{,"model":"a"}', '{"model" "a"}', "{'model':'a'}", '{"model":"a"}\u0000', '\uFEFF{"model":"a"}']) refused(body)
  for (const value of ['01', '1.', '.5', '+1', '1e', 'tru', 'nul', 'NaN', '-', '[1,]', '[,1]', '[1 2]', '{"a"}', '{"a":}', '{"a":1,}', '[}', '{]', '"\\x"', '"\\u12g4"', '"a\nb"', '"open']) refused(`{"model":"a","x":${value}}`)
  assert.match(refused(Buffer.from([0x7b, 0x22, 0x6d, 0x6f, 0x64, 0x65, 0x6c, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d])), /UTF-8/)
  const nested = (depth: number): string => `{"model":"a","x":${'['.repeat(depth)}${']'.repeat(depth)}}`
  assert.equal(modelOf(nested(MAX_JSON_DEPTH - 1)), 'a')
  assert.match(refused(nested(MAX_JSON_DEPTH)), /deeper/)
  assert.match(refused(nested(2_000_000)), /deeper/)
  assert.match(refused(`{"model":"a",${Array.from({ length: 2_000 }, (_, index) => `"k${index}":1`).join(',')}}`), /members/)
})

/** JSON text with a random layout: the same values in ways that `JSON.stringify` never writes. */
const space = fc.constantFrom('', ' ', '\n', '\t \r\n')
const layout = (value: unknown, pad: string): string => {
  if (Array.isArray(value)) return `[${pad}${value.map((element) => layout(element, pad)).join(`${pad},`)}${pad}]`
  if (typeof value === 'object' && value !== null) return `{${pad}${Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}${pad}:${layout(inner, pad)}`).join(`,${pad}`)}${pad}}`
  return JSON.stringify(value)
}

void test('the walker accepts exactly what JSON.parse accepts: any JSON, and any JSON with one byte changed', () => {
  const changed = fc.record({ value: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 6 }), pad: space, at: fc.nat(), byte: fc.integer({ min: 0x09, max: 0x7e }), remove: fc.boolean() })
  fc.assert(
    fc.property(changed, ({ value, pad, at, byte, remove }) => {
      const whole = layout(value, pad)
      const body = bytes(whole)
      assert.equal(scanObject(body).ok, true)
      const position = at % body.length
      const damaged = remove ? Buffer.concat([body.subarray(0, position), body.subarray(position + 1)]) : Buffer.concat([body.subarray(0, position), Buffer.from([byte]), body.subarray(position + 1)])
      if (!Buffer.from(damaged.toString()).equals(damaged)) return
      assert.equal(scanObject(damaged).ok, parsesAsObject(damaged.toString()), JSON.stringify(damaged.toString()))
    }),
    { numRuns: casesOf(2_000) },
  )
})

function parsesAsObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

verifies('WIR-43', 'for arbitrary bodies, what is forwarded differs from what was received only in `model`', () => {
  const parts = fc.record({ before: fc.dictionary(fc.string(), fc.jsonValue()), after: fc.dictionary(fc.string(), fc.jsonValue()), asked: fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }), admitted: fc.string({ minLength: 1, maxLength: 40 }), pad: space })
  fc.assert(
    fc.property(parts, ({ before, after, asked, admitted, pad }) => {
      const members = [...Object.entries(before), ...Object.entries(after)].filter(([key]) => key.toLowerCase() !== 'model').map(([key, value]) => `${JSON.stringify(key)}:${pad}${layout(value, pad)}`)
      members.splice(Object.keys(before).length % (members.length + 1), 0, `"model"${pad}:${JSON.stringify(asked)}`)
      const body = bytes(`{${pad}${members.join(`${pad},`)}}`)
      const field = locateModel(body)
      if (!field.found) return assert.match(field.detail, /printable/)
      assert.equal(field.model, asked)
      const forwarded = Buffer.from(replaceModel(body, field, admitted))
      const written = JSON.stringify(admitted)
      assert.deepEqual(forwarded.subarray(0, field.start), body.subarray(0, field.start))
      assert.equal(forwarded.subarray(field.start, field.start + Buffer.byteLength(written)).toString(), written)
      assert.deepEqual(forwarded.subarray(field.start + Buffer.byteLength(written)), body.subarray(field.end))
      const again = locateModel(forwarded)
      if (again.found) assert.equal(again.model, admitted)
    }),
    { numRuns: casesOf(2_000) },
  )
})

void test('a body of 32 MiB made to hurt is read in linear time', () => {
  const hostile = bytes(`{"model":"a","x":"${'\\"'.repeat(8_000_000)}","y":[${'[],'.repeat(4_000_000)}0]}`)
  // Of the processor, not of the clock: what is not linear takes hours of it, and a machine that does something else takes none.
  const before = process.cpuUsage()
  assert.equal(locateModel(hostile).found, true)
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < 20_000_000, `${user + system} us`)
})
