/** Texts with nothing in common: an expression that matches each of them matches anything. */
const UNRELATED = ['a', 'Z', '0', '_', '-', '%%%', 'é', 'error: it failed', '1 2 3']

/** Why an expression on the output asserts nothing or cannot be used; undefined if it asserts something (ACC-53). */
export function faultOfExpression(source: string): string | undefined {
  const compiled = compile(source)
  if (compiled === undefined) return 'it is not a regular expression'
  if (/\\[1-9]|\\k</.test(source)) return 'it refers back to a group, which can take for ever to match'
  // Before anything is matched: trying such an expression out would be the very thing to avoid.
  if (nestsRepetition(source)) return 'it repeats what is repeated or has alternatives inside, which can take for ever to match'
  if (compiled.test('')) return 'it matches the empty text, and so any output'
  return UNRELATED.every((text) => compiled.test(text)) ? 'it matches any text' : undefined
}

/** The expression as the runner uses it; undefined if it does not compile. */
function compile(source: string): RegExp | undefined {
  try {
    return new RegExp(source, 'm')
  } catch {
    return undefined
  }
}

/**
 * True if a group that may repeat without bound holds a repetition or alternatives. Refuses some harmless expressions:
 * one that hangs the gate is worse than one that has to be written in another way.
 */
function nestsRepetition(source: string): boolean {
  const open: { risky: boolean }[] = []
  const text = source.replace(/\\./gs, 'x').replace(/\[(?:[^\]])*\]/g, 'x')
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    const repeats = /^(?:[*+]|\{\d+,\})/.test(text.slice(at))
    const inner = open.at(-1)
    if (character === '(') open.push({ risky: false })
    else if (character === ')') {
      const closed = open.pop()
      const repeated = /^(?:[*+]|\{\d+,\d*\}|\{\d+\})/.test(text.slice(at + 1))
      if (closed?.risky === true && repeated) return true
      const outer = open.at(-1)
      if (outer !== undefined && (closed?.risky === true || repeated)) outer.risky = true
    } else if (inner !== undefined && (repeats || character === '|')) inner.risky = true
  }
  return false
}
