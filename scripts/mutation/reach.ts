import { Session } from 'node:inspector'
import { relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import type { Ranges } from './messages.ts'

const Coverage = z.object({
  result: z.array(z.object({ url: z.string(), functions: z.array(z.object({ ranges: z.array(z.object({ startOffset: z.int(), endOffset: z.int(), count: z.int() })) })) })),
})

/** Says what ran in the files of `root` since it was last asked, by the engine's own block coverage. Types are stripped by blanks, so its offsets are those of the source. */
export function watchReach(root: string): () => Record<string, Ranges> {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  return () => {
    let taken: unknown
    // The session is of this very thread: the answer is there when `post` returns.
    session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error !== null) throw error
      taken = answer
    })
    const reached: Record<string, Ranges> = {}
    for (const { url, functions } of Coverage.parse(taken).result) {
      if (!url.startsWith('file:')) continue
      const file = relative(root, fileURLToPath(url)).split(sep).join('/')
      const ranges: Ranges = functions.flatMap((each) => each.ranges.map(({ startOffset, endOffset, count }): [number, number, number] => [startOffset, endOffset, count]))
      if (file.startsWith('src/') && ranges.some(([, , count]) => count > 0)) reached[file] = ranges
    }
    return reached
  }
}

/** Whether the place ran: the innermost range around it says so; without one it did not. */
export function ran(ranges: Ranges | undefined, position: number): boolean {
  let innermost: Ranges[number] | undefined
  for (const range of ranges ?? []) {
    if (range[0] <= position && position < range[1] && (innermost === undefined || range[1] - range[0] <= innermost[1] - innermost[0])) innermost = range
  }
  return innermost !== undefined && innermost[2] > 0
}
