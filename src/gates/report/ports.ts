/** Where a known credential was found: the form it had, the offset of its first byte, and a keyed hash. Never the value. */
export interface ScanFinding {
  readonly rule: string
  readonly offset: number
  readonly hash: string
}

/** Looks for the credentials that the product knows. A throw counts as an incomplete scan, which blocks (SEC-07). */
export interface SecretScanner {
  /** Name and version of the rules applied. */
  readonly rules: string
  /** How many distinct values were searched for. */
  knownValues(): number
  scan(bytes: Buffer): readonly ScanFinding[]
  /** The text with every occurrence replaced, for a copy that people may read. */
  redact(text: string): string
}
