export type StrictJson = { readonly value: unknown } | { readonly problem: string }

/**
 * Reads JSON and refuses what JSON.parse lets through: a key that stands twice (the reader of a review sees the first,
 * the program uses the last) and `__proto__`. A problem never quotes the text, which may hold a secret.
 */
export function readStrictJson(text: string): StrictJson {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    // V8 quotes the text in its message; only the position is repeated.
    const position = /\(line \d+ column \d+\)/.exec(error instanceof Error ? error.message : '')?.[0]
    return { problem: position === undefined ? 'not JSON' : `not JSON ${position}` }
  }
  const offset = repeatedKeyAt(text)
  return offset === undefined ? { value } : { problem: `a key that stands twice or is reserved, at ${position(text, offset)}` }
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g

/** Offset of the first key that its object already has. The text is known to be JSON, so that tokens are all there is to look at. */
function repeatedKeyAt(text: string): number | undefined {
  const open: (Set<string> | null)[] = []
  let keyIsNext = false
  for (const match of text.matchAll(TOKEN)) {
    const token = match[0]
    const keys = open.at(-1)
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(null)
    else if (token === '}' || token === ']') open.pop()
    else if (token.startsWith('"') && keyIsNext && keys !== null && keys !== undefined) {
      const key: unknown = JSON.parse(token)
      if (typeof key !== 'string' || key === '__proto__' || keys.has(key)) return match.index
      keys.add(key)
    }
    keyIsNext = token === '{' || (token === ',' && open.at(-1) !== null)
  }
  return undefined
}

function position(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n')
  return `line ${before.length} column ${(before.at(-1)?.length ?? 0) + 1}`
}
