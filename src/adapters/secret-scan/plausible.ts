/** Words that stand in a key which is none, and what people fill one in with. */
const PLACEHOLDER = /example|sample|placeholder|your|change_?me|dummy|fake|redacted|withheld|insert|replace|deadbeef|x{4}|\*{3}|\.{3}|<|>|\$\{|\{\{|%\(/i
/** So many characters that follow one another in the alphabet, or are the same, were typed and not drawn. */
const LONGEST_SERIES = 6
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
/** Half of all pairs of letters in words are one of these; of drawn letters, one in ten. */
const COMMON_PAIRS = new Set('th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro ic ne ea ra ce li ch ll be ma si om ur ad ge ec us ac ss un ut tr'.split(' '))

/** True for what stands in the place of a key in a document or a template. */
export const isPlaceholder = (text: string): boolean => PLACEHOLDER.test(text) || hasSeries(text)

/** True for what may be drawn by chance, as far as a format that is known by its beginning has to be told from a word that begins alike. */
export const isDrawn = (text: string): boolean => !isPlaceholder(text) && entropyOf(text) >= Math.min(2.8, Math.log2(text.length) * 0.75)

/** True for a long text that is no word, name, path, version or number: what nobody remembers and nobody would write by hand. */
export function looksRandom(text: string): boolean {
  if (isPlaceholder(text) || /^sha\d{1,3}[-:]/i.test(text)) return false
  const letters = text.replace(/[^A-Za-z0-9]/g, '')
  if (letters.length < 12 || entropyOf(letters) < 2.8) return false
  const digits = letters.replace(/\D/g, '').length
  if (digits === letters.length) return false
  const restless = changesIn(letters) / letters.length
  // There are no words of so many hexadecimal digits.
  if (/^(?:[0-9a-f]{24,}|[0-9A-F]{24,})$/.test(letters)) return restless >= 0.2
  const wordy = commonPairsIn(letters)
  return digits > 0 ? restless >= 0.2 && wordy <= 0.3 : restless >= 0.4 && wordy <= 0.2
}

export const isUuid = (text: string): boolean => UUID.test(text)

/** Shannon's, in bits for each character. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

function hasSeries(text: string): boolean {
  let rising = 1
  let same = 1
  for (let index = 1; index < text.length; index += 1) {
    const step = text.charCodeAt(index) - text.charCodeAt(index - 1)
    rising = step === 1 ? rising + 1 : 1
    same = step === 0 ? same + 1 : 1
    if (rising >= LONGEST_SERIES || same >= LONGEST_SERIES) return true
  }
  return false
}

const kindOf = (code: number): number => (code < 58 ? 0 : code < 91 ? 1 : 2)

/** How often a text goes over from letters of one case to the other or to digits. */
function changesIn(letters: string): number {
  let changes = 0
  for (let index = 1; index < letters.length; index += 1) if (kindOf(letters.charCodeAt(index)) !== kindOf(letters.charCodeAt(index - 1))) changes += 1
  return changes
}

/** Which part of the pairs of letters are such as words are made of. */
function commonPairsIn(letters: string): number {
  const plain = letters.toLowerCase()
  let pairs = 0
  let common = 0
  for (let index = 1; index < plain.length; index += 1) {
    const pair = plain.slice(index - 1, index + 1)
    if (/\d/.test(pair)) continue
    pairs += 1
    if (COMMON_PAIRS.has(pair)) common += 1
  }
  // Too few to tell.
  return pairs < 4 ? 0 : common / pairs
}
