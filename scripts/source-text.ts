/**
 * TypeScript source with its comments blanked and its strings taken out, so that patterns see code only. Line breaks stay
 * where they were. Each string stands as `"<number>"`, an index into `strings`; a template with substitutions has no
 * constant text and stands as `` ` `` followed by its expressions.
 */
export interface SourceText {
  readonly code: string
  readonly strings: readonly string[]
}

const REGEX_MAY_FOLLOW = /(?:^|[(,=:[!&|?{;+\-*%~^<>]|\b(?:return|typeof|case|in|of|do|else|throw|await|yield|void|delete))\s*$/
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v', '0': '\0' }

export function readSource(text: string): SourceText {
  const strings: string[] = []
  let code = ''
  let at = 0
  /** Depth of braces at which each open template substitution ends. */
  const substitutions: number[] = []
  let depth = 0

  const blank = (until: number): void => {
    code += text.slice(at, until).replace(/[^\n]/g, ' ')
    at = until
  }
  const string = (quote: string): void => {
    const [value, end] = quoted(text, at + 1, quote)
    code += `"${strings.push(value) - 1}"${lineBreaks(text.slice(at, end))}`
    at = end
  }
  /** Reads template text from `at`, up to the closing backtick or the next `${`. */
  const template = (opening: boolean): void => {
    const start = at
    const [value, end] = quoted(text, opening ? at + 1 : at, '`')
    const substituted = text.startsWith('${', end - 2) && text[end - 1] === '{'
    if (opening) code += substituted ? '`' : `"${strings.push(value) - 1}"`
    code += lineBreaks(text.slice(start, end))
    at = end
    if (!substituted) return
    substitutions.push(depth)
    depth += 1
    code += '('
  }

  while (at < text.length) {
    const character = text[at] ?? ''
    if (text.startsWith('//', at) || (at === 0 && text.startsWith('#!'))) blank(endOf(text, '\n', at))
    else if (text.startsWith('/*', at)) blank(Math.min(text.length, endOf(text, '*/', at + 2) + 2))
    else if (character === '\'' || character === '"') string(character)
    else if (character === '`') template(true)
    else if (character === '/' && REGEX_MAY_FOLLOW.test(code.slice(-40))) blank(endOfRegex(text, at))
    else if (character === '}' && substitutions.at(-1) === depth - 1) {
      depth -= 1
      substitutions.pop()
      code += ')'
      at += 1
      template(false)
    } else {
      if (character === '{') depth += 1
      if (character === '}') depth -= 1
      code += character
      at += 1
    }
  }
  return { code, strings }
}

/** The line, from 1, of an offset in `code`. */
export const lineOf = (code: string, offset: number): number => lineBreaks(code.slice(0, offset)).length + 1

const lineBreaks = (text: string): string => text.replace(/[^\n]/g, '')

function endOf(text: string, needle: string, from: number): number {
  const found = text.indexOf(needle, from)
  return found === -1 ? text.length : found
}

/** The value of a string that begins at `from`, and the offset behind its end. A template also ends behind `${`. */
function quoted(text: string, from: number, quote: string): [value: string, end: number] {
  let value = ''
  let at = from
  while (at < text.length) {
    const character = text[at] ?? ''
    if (character === quote) return [value, at + 1]
    if (quote === '`' && text.startsWith('${', at)) return [value, at + 2]
    // A quote that a line break leaves open was no string (an apostrophe in a regular expression): go on with the next line.
    if (quote !== '`' && character === '\n') return [value, at]
    if (character === '\\') {
      const escaped = text[at + 1] ?? ''
      value += ESCAPES[escaped] ?? escaped
      at += 2
    } else {
      value += character
      at += 1
    }
  }
  return [value, text.length]
}

function endOfRegex(text: string, from: number): number {
  let inClass = false
  for (let at = from + 1; at < text.length; at += 1) {
    const character = text[at]
    if (character === '\n') return at
    if (character === '\\') at += 1
    else if (character === '[') inClass = true
    else if (character === ']') inClass = false
    else if (character === '/' && !inClass) return at + 1
  }
  return text.length
}

/** One import or re-export. `specifier` is undefined where it is computed, which no static check can follow. */
export interface ImportEdge {
  readonly specifier: string | undefined
  /** `import type` and `export type` leave no trace at run time; everything else does. */
  readonly typeOnly: boolean
  readonly line: number
}

const STATIC_IMPORT = /(?<![.\w$])(?:import|export)\s*(type\b(?!\s*(?:from|,)))?(?:[\w$*\s,{}]|"\d+"(?=\s+as\b))*?\bfrom\s*"(\d+)"/g
const BARE_IMPORT = /(?<![.\w$])import\s*"(\d+)"/g
const DYNAMIC_IMPORT = /(?<![.\w$])import\s*\(\s*(?:"(\d+)"\s*[,)])?/g

/** Every import of a source file: static, bare, dynamic, re-exports, and `import('x').Type`. */
export function importsOf({ code, strings }: SourceText): ImportEdge[] {
  const edge = (offset: number, index: string | undefined, typeOnly: boolean): ImportEdge => ({ specifier: index === undefined ? undefined : strings[Number(index)], typeOnly, line: lineOf(code, offset) })
  return [
    ...[...code.matchAll(STATIC_IMPORT)].map((match) => edge(match.index, match[2], match[1] !== undefined)),
    ...[...code.matchAll(BARE_IMPORT)].map((match) => edge(match.index, match[1], false)),
    ...[...code.matchAll(DYNAMIC_IMPORT)].map((match) => edge(match.index, match[1], false)),
  ].toSorted((a, b) => a.line - b.line)
}
