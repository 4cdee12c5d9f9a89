import pixelmatch from 'pixelmatch'
import { PNG } from 'pngjs'

/** How far two colours may be apart and still look the same, in the YIQ space of pixelmatch; smoothed edges are told from differences. */
const COLOUR_THRESHOLD = 0.1
/** A difference hash of 16 rows with 16 comparisons each. */
const HASH_SIDE = 16
/** So many colours are counted; a page has either one or many. */
const COLOURS_COUNTED = 256

export interface ImageFacts {
  readonly width: number
  readonly height: number
  /** At least so many different colours; one means that nothing is shown. */
  readonly colours: number
}

export interface ImageDifference {
  readonly changedPixels: number
  readonly changedShare: number
  readonly distance: number
  /** The images laid over each other, with what differs in red. */
  readonly picture: Buffer
}

/** Reads a PNG. Throws Error for bytes that are none. */
export function imageFacts(png: Buffer): ImageFacts {
  const { width, height, data } = PNG.sync.read(png)
  const colours = new Set<number>()
  for (let at = 0; at < data.length && colours.size < COLOURS_COUNTED; at += 4) colours.add(data.readUInt32BE(at))
  return { width, height, colours: colours.size }
}

/** Compares two PNGs, in pixels and as a whole. Images of different sizes have nothing in common. Throws Error for bytes that are none. */
export function compareImages(approved: Buffer, found: Buffer): ImageDifference {
  const [one, other] = [PNG.sync.read(approved), PNG.sync.read(found)]
  const { width, height } = one
  if (other.width !== width || other.height !== height) return { changedPixels: width * height, changedShare: 1, distance: 1, picture: found }
  const picture = new PNG({ width, height })
  const changedPixels = pixelmatch(one.data, other.data, picture.data, width, height, { threshold: COLOUR_THRESHOLD, includeAA: false })
  return { changedPixels, changedShare: changedPixels / (width * height), distance: hashDistance(differenceHash(one), differenceHash(other)), picture: PNG.sync.write(picture) }
}

/** For each of 16 x 16 fields whether it is darker than the one to its right: what stays when colours and sizes change a little. */
function differenceHash(image: PNG): boolean[] {
  const fields = Array.from({ length: HASH_SIDE }, (_, row) => Array.from({ length: HASH_SIDE + 1 }, (_unused, column) => brightness(image, row, column)))
  return fields.flatMap((row) => row.slice(1).map((field, index) => (row[index] ?? 0) < field))
}

/** The mean brightness of one field. */
function brightness({ width, height, data }: PNG, row: number, column: number): number {
  const [left, right] = [Math.floor((column * width) / (HASH_SIDE + 1)), Math.max(Math.floor((column * width) / (HASH_SIDE + 1)) + 1, Math.floor(((column + 1) * width) / (HASH_SIDE + 1)))]
  const [top, bottom] = [Math.floor((row * height) / HASH_SIDE), Math.max(Math.floor((row * height) / HASH_SIDE) + 1, Math.floor(((row + 1) * height) / HASH_SIDE))]
  let sum = 0
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const at = 4 * (y * width + x)
      sum += 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0)
    }
  }
  // Rounded: a field that is brighter by less than the eye sees is not brighter.
  return Math.round(sum / ((right - left) * (bottom - top)))
}

const hashDistance = (one: readonly boolean[], other: readonly boolean[]): number => one.filter((bit, index) => bit !== other[index]).length / one.length
