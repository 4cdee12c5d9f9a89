import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useNavigate } from '@tanstack/react-router'
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react'
import { Refused, signIn, signOut } from './api.ts'
import { LiveProvider, useConnection } from './live.tsx'
import { self } from './questions.ts'
import { Dialog, Fault, Mark, Skeleton, When } from './ui.tsx'

const PAGES = [
  { to: '/', name: 'Gatehouse', key: 'g' },
  { to: '/tickets', name: 'Tickets', key: 't' },
  { to: '/runs', name: 'Runs', key: 'r' },
  { to: '/agents', name: 'Agents', key: 'a' },
  { to: '/models', name: 'Models', key: 'm' },
  { to: '/checks', name: 'Checks', key: 'c' },
  { to: '/verify', name: 'Verify', key: 'v' },
  { to: '/access', name: 'Access', key: 's' },
] as const

/** Everything stands behind a session; without one there is the door and nothing else. */
export function Shell(): ReactNode {
  const client = useQueryClient()
  const asked = useQuery(self)
  const signedOut = useCallback(() => void client.resetQueries({ queryKey: self.queryKey }), [client])
  if (asked.error instanceof Refused && [401, 403].includes(asked.error.problem.status)) return <SignIn />
  if (asked.data === undefined) return <main className="door">{asked.error === null ? <Skeleton /> : <Fault error={asked.error} />}</main>
  return <LiveProvider signedOut={signedOut}><Frame kind={asked.data.kind} name={asked.data.name} expires={asked.data.expires_at} /></LiveProvider>
}

function SignIn(): ReactNode {
  const client = useQueryClient()
  const [fault, setFault] = useState<unknown>(undefined)
  const field = useRef<HTMLInputElement>(null)
  const enter = (): void => {
    signIn(field.current?.value.trim() ?? '').then(() => client.resetQueries(), setFault)
  }
  return (
    <main className="door">
      <Gate />
      <h1>Portcullis</h1>
      <p className="soft">The token is exchanged for a session that ends with it. Only the memory of this page keeps it, to come back to a server that was started again.</p>
      <form onSubmit={(event) => { event.preventDefault(); enter() }}>
        <label htmlFor="token">Token</label>
        <input id="token" ref={field} type="password" autoComplete="off" spellCheck={false} autoFocus required />
        <button type="submit" className="primary">Sign in</button>
      </form>
      {fault === undefined ? null : <Fault error={fault} />}
      <p className="soft">The first token lies in <code>.portcullis/admin-token</code>. Others: <code>npx portcullis tokens create</code></p>
    </main>
  )
}

const Gate = (): ReactNode => <svg className="gate" viewBox="0 0 16 16" width="18" height="18" aria-hidden="true"><path d="M2.5 15V6.5a5.5 5.5 0 0 1 11 0V15M6 2v13M10 2v13M3 7h10M3 11h10" /></svg>

function Frame({ kind, name, expires }: { readonly kind: string; readonly name: string; readonly expires: string }): ReactNode {
  const client = useQueryClient()
  const [help, setHelp] = useState(false)
  useKeys(setHelp)
  const leave = (): void => void signOut().finally(() => void client.resetQueries())
  return (
    <>
      <a className="skip" href="#content" onClick={(event) => { event.preventDefault(); document.getElementById('content')?.focus() }}>Skip to the page</a>
      <header className="bar">
        <Link to="/" className="name" aria-label="Portcullis"><Gate /><span>Portcullis</span></Link>
        <nav aria-label="Pages">{PAGES.map((page) => <Link key={page.to} to={page.to} activeOptions={{ exact: page.to === '/' }} activeProps={{ 'aria-current': 'page' }}>{page.name}</Link>)}</nav>
        <div className="who"><ConnectionSign /><span title={`token of kind ${kind}`}>{name} · {kind}</span><span className="soft wide">ends <When at={expires} /></span><button type="button" onClick={() => setHelp(true)} aria-label="Keys">?</button><button type="button" onClick={leave}>Sign out</button></div>
      </header>
      <StaleBanner />
      <main id="content" tabIndex={-1}><Outlet /></main>
      {help && <Help close={() => setHelp(false)} />}
    </>
  )
}

function ConnectionSign(): ReactNode {
  const connection = useConnection()
  return <span role="status" data-connection={connection.state}>{connection.state === 'live' ? <Mark outcome="pass" word="live" /> : <Mark outcome="unknown" word={connection.state} />}</span>
}

function StaleBanner(): ReactNode {
  const connection = useConnection()
  if (connection.state !== 'stale') return null
  return <div className="stale" role="alert"><strong>Stale.</strong> No connection since <time dateTime={connection.since.toISOString()}>{connection.since.toISOString()}</time>: what is shown was true then. It catches up by itself.</div>
}

const isTyping = (target: EventTarget | null): boolean => target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement

function useKeys(setHelp: (shown: boolean) => void): void {
  const navigate = useNavigate()
  useEffect(() => {
    let goes = false
    const pressed = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      const page = goes ? PAGES.find(({ key }) => key === event.key) : undefined
      goes = event.key === 'g' && page === undefined
      if (page !== undefined) void navigate({ to: page.to })
      else if (event.key === '?') setHelp(true)
      else if (event.key === '/') { document.querySelector<HTMLInputElement>('input[type=search]')?.focus(); event.preventDefault() }
      else if (event.key === 'm') document.activeElement?.closest('li, tr')?.querySelector<HTMLElement>('[data-move]')?.click()
      else if (event.key === 'j' || event.key === 'k') moveFocus(event.key === 'j' ? 1 : -1)
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  }, [navigate, setHelp])
}

function moveFocus(by: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')]
  const at = rows.findIndex((row) => row === document.activeElement)
  rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.focus()
}

function Help({ close }: { close(): void }): ReactNode {
  return (
    <Dialog title="Keys" close={close}>
      <dl className="keys">
        {PAGES.map(({ key, name }) => <div key={key}><dt><kbd>g</kbd> <kbd>{key}</kbd></dt><dd>{name}</dd></div>)}
        <div><dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>next and previous row</dd></div>
        <div><dt><kbd>Enter</kbd></dt><dd>open the row</dd></div>
        <div><dt><kbd>m</kbd></dt><dd>move the ticket of the row</dd></div>
        <div><dt><kbd>/</kbd></dt><dd>search</dd></div>
        <div><dt><kbd>?</kbd></dt><dd>this list</dd></div>
        <div><dt><kbd>Esc</kbd></dt><dd>close</dd></div>
      </dl>
      <p className="acts"><button type="button" onClick={close}>Close</button></p>
    </Dialog>
  )
}
