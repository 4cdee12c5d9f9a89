/** Where a credential was found: what it is, the offset of its first byte, and a keyed hash. Never the value (SEC-06). */
export interface ScanFinding {
  readonly rule: string
  readonly offset: number
  readonly hash: string
}

/** A scan of a text that comes in pieces. Memory does not grow with the text. */
export interface ScanStream {
  /** The chunk may be used again once this returns. */
  write(chunk: Uint8Array): void
  /** Ends the scan. What was not written was not scanned: the caller compares what it wrote with what there is. */
  end(): readonly ScanFinding[]
}

/**
 * `everything`: the values that the product knows, and whatever has the form of a credential. `known-values`: those alone,
 * for texts that nobody wrote for this run, such as the packages that an agent installed; they are full of examples.
 */
export type ScanScope = 'everything' | 'known-values'

/** Looks for credentials. A throw counts as an incomplete scan, which blocks (SEC-07). */
export interface SecretScanner {
  /** Name and version of the rules applied. */
  readonly rules: string
  /** How many distinct values were searched for. */
  knownValues(): number
  /** From now on this value is searched for as well, where everything is: the run token of an agent, which its own home may hold. */
  know(token: string): void
  /** Searches for everything. */
  scan(bytes: Buffer): readonly ScanFinding[]
  open(scope: ScanScope): ScanStream
  /** The text with every occurrence replaced, for a copy that people may read. A text that cannot be scanned is replaced as a whole. */
  redact(text: string): string
}
