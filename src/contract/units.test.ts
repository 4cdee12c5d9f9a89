import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Duration, Lease, Lifetime, LONGEST_TIMER_MS, Money, milliseconds, parseDuration, parseMoney, parseSize, printMilliseconds, Size } from './units.ts'

const endless = '9'.repeat(400)

test('a duration is a number and a unit', () => {
  for (const [text, expected] of [['250ms', 250], ['30s', 30_000], ['10m', 600_000], ['24h', 86_400_000], ['2d', 172_800_000], ['0.5s', 500]] as const) {
    assert.equal(parseDuration(text), expected, text)
    assert.equal(milliseconds(text), expected, text)
    assert.equal(Duration.parse(text), text, 'it stays the text that was written')
  }
})

test('what is no duration is no duration: a limit is never guessed, and none is no limit', () => {
  for (const text of ['', '30', 's', '0s', '0.0ms', '-1s', '+1s', '1e3s', '30 s', ' 30s', '30s ', '30S', '30sec', '1h30m', 'Infinity', 'NaNs', '1.s', '.5s', '30s\n', `${endless}d`]) {
    assert.equal(parseDuration(text), undefined, JSON.stringify(text))
    assert.equal(Duration.safeParse(text).success, false, JSON.stringify(text))
    assert.throws(() => milliseconds(text), RangeError, JSON.stringify(text))
  }
})

test('what becomes a timer is shorter than the longest one, a lease is at most a day, and a lifetime an instant that there is', () => {
  for (const [shape, longest, tooLong] of [[Duration, '24d', '25d'], [Lease, '24h', '24.1h'], [Lifetime, '36500d', '36501d']] as const) {
    assert.equal(shape.parse(longest), longest)
    assert.equal(shape.safeParse(tooLong).success, false, tooLong)
    assert.equal(shape.safeParse('0s').success, false)
  }
  assert.equal(Duration.safeParse(`${LONGEST_TIMER_MS + 1}ms`).success, false)
  assert.equal(Duration.parse(`${LONGEST_TIMER_MS}ms`), `${LONGEST_TIMER_MS}ms`)
  assert.ok(!Number.isNaN(new Date(Date.now() + milliseconds('36500d')).getTime()))
})

test('a size is a whole number and a binary unit', () => {
  for (const [text, expected] of [['0B', 0], ['512B', 512], ['64KiB', 65_536], ['10MiB', 10_485_760], ['1GiB', 1_073_741_824]] as const) {
    assert.equal(parseSize(text), expected, text)
    assert.equal(Size.parse(text), text)
  }
  for (const text of ['', '64', '64KB', '64kib', '1.5MiB', '-1B', '64 KiB', '64KiB\n', `${endless}B`]) {
    assert.equal(parseSize(text), undefined, JSON.stringify(text))
    assert.equal(Size.safeParse(text).success, false, JSON.stringify(text))
  }
})

test('an amount of money names its currency', () => {
  for (const [text, expected] of [['USD 20', 20], ['USD 0.15', 0.15], ['USD 0', 0], ['USD 0.000001', 0.000_001]] as const) {
    assert.equal(parseMoney(text), expected, text)
    assert.equal(Money.parse(text), text)
  }
  for (const text of ['', '20', 'USD', 'USD20', 'EUR 20', 'usd 20', 'USD -1', 'USD 1,000', 'USD 1.', 'USD 0.0000001', 'USD 1e3', 'USD 20\n', `USD ${endless}`]) {
    assert.equal(parseMoney(text), undefined, JSON.stringify(text))
    assert.equal(Money.safeParse(text).success, false, JSON.stringify(text))
  }
})

test('elapsed time is printed for people', () => {
  for (const [elapsed, printed] of [[0, '1 ms'], [2.4, '2 ms'], [999, '999 ms'], [999.6, '1.0 s'], [4_900, '4.9 s'], [59_960, '1 min 0 s'], [60_000, '1 min 0 s'], [185_000, '3 min 5 s']] as const) {
    assert.equal(printMilliseconds(elapsed), printed)
  }
})
