import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import * as z from 'zod'
import type { ServedApi } from './served-api.ts'

const Begun = z.object({ run_id: z.string() })
const View = z.object({ running: z.boolean(), ending: z.object({ exit_code: z.int() }).nullable() })

/** How often a run is asked for. */
const LOOK_MS = 10_000

/** What a process uses of the machine, as its kernel counts it. Throws if it is gone. */
export function usedBy(pid: number): { readonly residentBytes: number; readonly descriptors: number; readonly children: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1])
  if (!Number.isInteger(kilobytes)) throw new Error(`process ${pid} says nothing of its memory`)
  return { residentBytes: kilobytes * 1_024, descriptors: readdirSync(`/proc/${pid}/fd`).length, children: childrenOf(pid) }
}

/** Processes that it began and that are there still, also those that nobody collected. */
function childrenOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter((child) => child.trim() !== '')).length
}

export const medianOf = (values: readonly number[]): number => {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = sorted[Math.floor(sorted.length / 2)]
  if (middle === undefined) throw new Error('the median of nothing')
  return middle
}

/** Keeps so many runs going on a server, each followed by the next, until it is told to end. */
export class RunLoad {
  readonly #served: ServedApi
  /** Each run that did not end as accepted, and each request that was not answered as asked: what was said. */
  readonly problems: string[] = []
  accepted = 0
  going = 0
  mostGoing = 0
  #ending = false
  readonly #lanes: Promise<void>[]

  constructor(served: ServedApi, runsAtOnce: number, apartMs: number) {
    this.#served = served
    this.#lanes = Array.from({ length: runsAtOnce }, async (_, lane) => this.#lane(lane * apartMs))
  }

  /** Begins no more, and waits for those that go on. */
  async end(): Promise<void> {
    this.#ending = true
    await Promise.all(this.#lanes)
  }

  async #lane(afterMs: number): Promise<void> {
    await wait(afterMs)
    do {
      this.going += 1
      this.mostGoing = Math.max(this.mostGoing, this.going)
      const problem = await this.#one().then(() => undefined, String)
      this.going -= 1
      if (problem === undefined) continue
      this.problems.push(problem)
      // A server that refuses everything is not asked without end.
      await wait(LOOK_MS)
    } while (!this.#ending)
  }

  async #one(): Promise<void> {
    const { ask, admin: token } = this.#served
    const started = await ask('/runs', { method: 'POST', token, body: { task: 'task.yaml' } })
    if (started.status !== 202) throw new Error(`a run was not begun: ${started.status} ${started.text}`)
    const { run_id: run } = Begun.parse(started.json())
    for (;;) {
      await wait(LOOK_MS)
      const { running, ending } = View.parse((await ask(`/runs/${run}`, { token })).json())
      if (running || ending === null) continue
      if (ending.exit_code === 0) this.accepted += 1
      else this.problems.push(`${run} ended with ${ending.exit_code}: ${(await ask(`/runs/${run}/report`, { token })).text.slice(0, 2_000)}`)
      return
    }
  }
}
