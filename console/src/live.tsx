import { type QueryClient, useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'
import { renewSession } from './api.ts'
import { type Connection, follow, type LedgerEvent } from './stream.ts'

const Live = createContext<Connection>({ state: 'connecting' })
export const useConnection = (): Connection => useContext(Live)

/** Keeps what is shown as the ledger is: an event asks again for what it may have changed, a recovered connection for all of it. */
export function LiveProvider({ children, signedOut }: { readonly children: ReactNode; signedOut(): void }): ReactNode {
  const client = useQueryClient()
  const [connection, setConnection] = useState<Connection>({ state: 'connecting' })
  useEffect(() => {
    const ending = new AbortController()
    void follow({
      connection: (next) => (next.state === 'signed-out' ? signedOut() : setConnection(next)),
      changed: (events) => askAgain(client, events),
      renewed: renewSession,
      recovered: () => void client.invalidateQueries(),
    }, ending.signal)
    return () => ending.abort()
  }, [client, signedOut])
  return <Live value={connection}>{children}</Live>
}

function askAgain(client: QueryClient, events: readonly LedgerEvent[]): void {
  for (const run of new Set(events.map((event) => event.data.run_id))) void client.invalidateQueries({ queryKey: ['run', run] })
  for (const key of ['runs', 'overview', 'agents', 'tickets', 'ticket']) void client.invalidateQueries({ queryKey: [key] })
}
