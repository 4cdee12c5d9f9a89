/** A text that is packed in another, as it comes out. */
export interface PackedText {
  /** Throws `ScanIncomplete` if more comes out than may be unpacked. */
  write(bytes: Uint8Array): void
  /** Between which bytes of the text around it it is packed. */
  end(start: number, end: number): void
}
