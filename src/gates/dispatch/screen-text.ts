/** Glyphs that programs turn while they work. A row of nothing else is a piece of an animation. */
const SPINNER = '·✢✳✶✻✽✺✷✸✹∗⠀-⣿◐◓◑◒'
const SPINNING = new RegExp(`^[${SPINNER}*]{1,3}$`, 'u')
/** `✻ Topsy-turvying… (34s`: a glyph, one word that ends in dots. Screens lose blanks, so there need be none. */
const WORKING = new RegExp(`^[${SPINNER}*]\\s*\\p{L}[\\p{L}-]*…`, 'u')
/** `(41s · ↓ 1.7k tokens`, `↑2.0ktokens`: how long and how much, as only a screen counts it. */
const COUNTER = /[↑↓]\s*[\d.,]+\s*[kM]?\s*tokens|\(\s*\d+s\s*·[^)]*(?:tokens|thinking|thought for)|^(?:[·*✢✶✻✽]\s*)?(?:thinking with|thought for)\b.*\)?$/iu
/** What a terminal program says about its keys; blanks may be lost. */
const HINT = /press\s*up\s*to\s*edit\s*queued\s*messages|\(shift\+tab\s*to\s*cycle\)|\b(?:esc|ctrl\+c)\s*to\s*interrupt\b|paste\s*again\s*to\s*expand|\?\s*for\s*shortcuts\b/iu

/** What in a text comes from the screen of a terminal, in words for people; undefined if nothing does. It knows the marks of a screen, and of a sentence about tokens or keys it says nothing. */
export function screenMark(text: string): string | undefined {
  if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/u.test(text.replaceAll('\r\n', '\n'))) return 'control characters of a terminal'
  for (const line of text.split('\n').map((each) => each.trim())) {
    // Stars alone are a list or a rule of Markdown.
    if (SPINNING.test(line) && !/^\*+$/.test(line)) return 'a spinner'
    if (WORKING.test(line)) return 'the status line of a spinner'
    if (COUNTER.test(line)) return 'a counter of tokens or seconds'
    if (HINT.test(line)) return 'a hint about keys'
  }
  return undefined
}
