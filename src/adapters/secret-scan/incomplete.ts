/** A scan that could not be brought to its end. What was not looked into may hold anything, so whoever asked must block (SEC-07). */
export class ScanIncomplete extends Error {
  /** `why` is a sentence of ours: it never quotes what was scanned. */
  constructor(why: string) {
    super(`the scan was not completed: ${why}`)
    this.name = 'ScanIncomplete'
  }
}

/** How much may be unpacked of what is scanned. A small file can unpack to any size, and to look into a part of it is not to look into it. */
export class UnpackingBudget {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  get left(): number {
    return this.#left
  }

  /** Adds what has been read of the text itself: a long one may hold more that is packed. */
  extend(bytes: number): void {
    this.#left += bytes
  }

  /** Throws `ScanIncomplete` when it is used up. */
  spend(bytes: number): void {
    this.#left -= bytes
    if (this.#left < 0) throw new ScanIncomplete('more is packed in it than may be unpacked')
  }
}
