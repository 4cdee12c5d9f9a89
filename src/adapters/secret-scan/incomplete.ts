/** A scan that could not be brought to its end. What was not looked into may hold anything, so whoever asked must block (SEC-07). */
export class ScanIncomplete extends Error {
  /** `why` is a sentence of ours: it never quotes what was scanned. */
  constructor(why: string) {
    super(`the scan was not completed: ${why}`)
    this.name = 'ScanIncomplete'
  }
}

/** How many bytes may still come out of gzip. A small file can unpack to any size, and to look into a part of it is not to look into it. */
export interface UnpackingBudget {
  left: number
}
