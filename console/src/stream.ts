/** One change of the ledger, as GET /events tells it. */
export interface LedgerEvent {
  readonly id: string
  readonly type: string
  readonly data: { readonly run_id: string } & Readonly<Record<string, unknown>>
}

export type Connection = { readonly state: 'connecting' } | { readonly state: 'live' } | { readonly state: 'stale'; readonly since: Date } | { readonly state: 'signed-out' }

export interface Listener {
  changed(events: readonly LedgerEvent[]): void
  connection(now: Connection): void
  /** A connection stands again after one was lost; what was missed follows as events, and what is no event must be asked again. */
  recovered(): void
  /** The session is over: true if a new one was opened. */
  renewed(): Promise<boolean>
}

const RETRY_MS = 500
const MOST_RETRY_MS = 5_000
/** The server says that it is alive every ten seconds. */
const SILENT_MS = 25_000

/**
 * Follows GET /events. After a lost connection it goes on behind the last event it saw, so nothing is skipped; while there is
 * none, the listener is told since when what it shows may be old. Ends with `ended`.
 */
export async function follow(listener: Listener, ended: AbortSignal): Promise<void> {
  let last: string | undefined
  let lostAt: Date | undefined
  let tries = 0
  listener.connection({ state: 'connecting' })
  while (!ended.aborted) {
    const silence = new AbortController()
    const outcome = await connect(last, AbortSignal.any([ended, silence.signal]), {
      opened: () => {
        tries = 0
        const again = lostAt !== undefined
        lostAt = undefined
        listener.connection({ state: 'live' })
        if (again) listener.recovered()
      },
      events: (events) => {
        last = events.at(-1)?.id ?? last
        if (events.length > 0) listener.changed(events)
      },
      silence,
    })
    if (ended.aborted) return
    if (outcome === 'signed-out') {
      if (await listener.renewed()) continue
      return listener.connection({ state: 'signed-out' })
    }
    lostAt ??= new Date()
    listener.connection({ state: 'stale', since: lostAt })
    await pause(Math.min(RETRY_MS * 2 ** tries++, MOST_RETRY_MS), ended)
  }
}

async function connect(last: string | undefined, signal: AbortSignal, told: { opened(): void; events(events: readonly LedgerEvent[]): void; readonly silence: AbortController }): Promise<'lost' | 'signed-out'> {
  let watch: ReturnType<typeof setTimeout> | undefined
  const heard = (): void => {
    clearTimeout(watch)
    watch = setTimeout(() => told.silence.abort(), SILENT_MS)
  }
  try {
    heard()
    const answer = await fetch('/events', { signal, cache: 'no-store', headers: last === undefined ? {} : { 'last-event-id': last } })
    if (answer.status === 401 || answer.status === 403) return 'signed-out'
    if (!answer.ok || answer.body === null) return 'lost'
    told.opened()
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    let rest = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return 'lost'
      heard()
      const blocks = (rest + value).split('\n\n')
      rest = blocks.pop() ?? ''
      told.events(blocks.flatMap(eventIn))
    }
  } catch {
    // Cut off, refused or silent: what it was changes nothing, the caller says that what is shown may be old and tries again.
    return 'lost'
  } finally {
    clearTimeout(watch)
  }
}

function eventIn(block: string): LedgerEvent[] {
  const fields = new Map(block.split('\n').flatMap((line): [string, string][] => {
    const colon = line.indexOf(': ')
    return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 2)]] : []
  }))
  const [id, type, data] = [fields.get('id'), fields.get('event'), fields.get('data')]
  return id === undefined || type === undefined || data === undefined ? [] : [{ id, type, data: JSON.parse(data) as LedgerEvent['data'] }]
}

function pause(milliseconds: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    ended.addEventListener('abort', () => { clearTimeout(timer); resolve() }, { once: true })
  })
}
