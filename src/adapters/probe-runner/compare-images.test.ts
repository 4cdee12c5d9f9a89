import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PNG } from 'pngjs'
import { compareImages, imageFacts } from './compare-images.ts'

type Paint = (x: number, y: number) => readonly [red: number, green: number, blue: number]

function png(width: number, height: number, paint: Paint): Buffer {
  const image = new PNG({ width, height })
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) image.data.set([...paint(x, y), 255], 4 * (y * width + x))
  return PNG.sync.write(image)
}

const STRIPES: Paint = (x) => (Math.floor(x / 20) % 2 === 0 ? [250, 250, 250] : [30, 60, 90])

test('an image is as it is: nothing changed, no distance', () => {
  const image = png(340, 160, STRIPES)
  assert.deepEqual(imageFacts(image), { width: 340, height: 160, colours: 2 })
  const { changedPixels, changedShare, distance } = compareImages(image, png(340, 160, STRIPES))
  assert.deepEqual([changedPixels, changedShare, distance], [0, 0, 0])
})

test('changed pixels are counted, and shown in red', () => {
  const { changedPixels, changedShare, picture } = compareImages(png(340, 160, STRIPES), png(340, 160, (x, y) => (x < 10 && y < 16 ? [200, 0, 0] : STRIPES(x, y))))
  assert.deepEqual([changedPixels, changedShare], [160, 160 / (340 * 160)])
  const { data } = PNG.sync.read(picture)
  assert.deepEqual([...data.subarray(0, 3)], [255, 0, 0])
  assert.notDeepEqual([...data.subarray(4 * 100, 4 * 100 + 3)], [255, 0, 0])
})

test('a colour that is off by what nobody sees is no change, another arrangement is a distance', () => {
  const faint = compareImages(png(340, 160, STRIPES), png(340, 160, (x) => (STRIPES(x, 0)[0] === 250 ? [249, 250, 250] : [31, 60, 90])))
  assert.deepEqual([faint.changedPixels, faint.distance], [0, 0])
  const turned = compareImages(png(340, 160, STRIPES), png(340, 160, (_x, y) => STRIPES(y, 0)))
  assert.ok(turned.changedShare > 0.3 && turned.distance > 0.2, `${turned.changedShare} ${turned.distance}`)
  const mirrored = compareImages(png(340, 160, (x) => [x / 2, x / 2, x / 2]), png(340, 160, (x) => [170 - x / 2, 170 - x / 2, 170 - x / 2]))
  assert.equal(mirrored.distance, 1)
})

test('images of two sizes have nothing in common, and what is no image is a fault', () => {
  const { changedShare, distance } = compareImages(png(40, 40, STRIPES), png(40, 41, STRIPES))
  assert.deepEqual([changedShare, distance], [1, 1])
  assert.equal(imageFacts(png(16, 16, () => [255, 255, 255])).colours, 1)
  assert.throws(() => imageFacts(Buffer.from('no image')))
})
