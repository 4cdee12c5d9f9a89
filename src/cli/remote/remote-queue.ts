import * as z from 'zod'
import type { QueueCommands } from '../../app/run-queue.ts'
import { QueuedRun } from '../../app/shapes.ts'
import type { ServerClient } from './client.ts'

const Page = z.looseObject({ entries: z.array(QueuedRun), next: z.string().nullable() })
const MOST_ROWS = 500

/** The queue of a server, asked as the one of this machine is. */
export const remoteQueue = (client: ServerClient): QueueCommands => ({
  add: ({ admissionFile, ...asked }) => client.must(QueuedRun, '/queue', Object.fromEntries(Object.entries({ ...asked, admission: admissionFile }).filter(([, value]) => value !== undefined))),
  list: async (most) => {
    const entries: QueuedRun[] = []
    for (let cursor = ''; ; ) {
      const page = await client.must(Page, `/queue?limit=${Math.min(MOST_ROWS, most - entries.length)}${cursor}`)
      entries.push(...page.entries)
      if (page.next === null || entries.length >= most) return entries
      cursor = `&cursor=${page.next}`
    }
  },
  find: (id) => client.must(QueuedRun, `/queue/${encodeURIComponent(id)}`),
})
