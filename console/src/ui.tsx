import { type ReactNode, useEffect, useId, useRef, useState, useSyncExternalStore } from 'react'
import { Refused } from './api.ts'

export type Outcome = 'pass' | 'block' | 'abstain' | 'unknown' | 'running' | 'waiting'

const SHAPES: Readonly<Record<Outcome, ReactNode>> = {
  pass: <><circle cx="8" cy="8" r="7" className="fill" /><path d="M4.6 8.3l2.3 2.3 4.5-5" className="cut" /></>,
  block: <><path d="M5.2 1h5.6L15 5.2v5.6L10.8 15H5.2L1 10.8V5.2z" className="fill" /><path d="M4.5 8h7" className="cut" /></>,
  abstain: <circle cx="8" cy="8" r="6" className="dashed" />,
  unknown: <><path d="M8 1l7 7-7 7-7-7z" className="ring" /><path d="M8 5.4v3.4M8 10.6v.6" className="ring" /></>,
  running: <><circle cx="8" cy="8" r="6" className="ring" /><path d="M8 2a6 6 0 0 1 0 12z" className="fill" /></>,
  waiting: <><path d="M3 1.5h10L3 14.5h10z" className="ring" /></>,
}

/** What came of something: a shape and a word, so that colour alone never says it. */
export function Mark({ outcome, word }: { readonly outcome: Outcome; readonly word?: string | undefined }): ReactNode {
  return <span className={`mark ${outcome}`}><svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">{SHAPES[outcome]}</svg>{plain(word ?? outcome)}</span>
}

const STATE_OUTCOMES: Readonly<Record<string, Outcome>> = { accepted: 'pass', checked: 'pass', recorded: 'pass', closed: 'abstain', failed: 'block', blocked: 'block', waiting: 'waiting', open: 'running', started: 'running',
  triage: 'unknown', todo: 'waiting', in_progress: 'running', review: 'waiting', question: 'waiting', done: 'pass', none: 'abstain', starting: 'running', ready: 'pass', running: 'running', needs_input: 'waiting',
  online: 'pass', provisioning: 'running', degraded: 'block', draining: 'waiting', offline: 'abstain', removed: 'abstain', ok: 'pass', warning: 'waiting', missing: 'block', unneeded: 'abstain', healthy: 'pass', unhealthy: 'block' }
export const StateMark = ({ state }: { readonly state: string }): ReactNode => <Mark outcome={STATE_OUTCOMES[state] ?? 'unknown'} word={state.replaceAll('_', ' ')} />

/** Direction marks and control characters would let a text look like another one: they are shown as what they are. */
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g
// oxlint-disable-next-line no-control-regex
const SEQUENCES = /\u001b(?:\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])/g
const MOST_CHARACTERS = 20_000

/** Text of agents, tickets and providers as text: nothing in it is markup, moves or hides (CON-25). */
export function plain(text: string): string {
  const shown = text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}… (${(text.length - MOST_CHARACTERS).toLocaleString('en')} characters more in the file)` : text
  return shown.replace(SEQUENCES, '').replace(HIDDEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
export const Text = ({ children }: { readonly children: string | null | undefined }): ReactNode => <bdi>{children === null || children === undefined ? '–' : plain(children)}</bdi>

/** A reason code as it stands in docs/reasons.md; people read it without the underscores. */
export const Reason = ({ code }: { readonly code: string | null | undefined }): ReactNode => (code === null || code === undefined ? null : <code className="reason" title={plain(code)}><Text>{code.replaceAll('_', ' ')}</Text></code>)

let now = Date.now()
const listeners = new Set<() => void>()
setInterval(() => {
  now = Date.now()
  for (const listener of listeners) listener()
}, 10_000)
const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
export const useNow = (): number => useSyncExternalStore(subscribe, () => now)

export function span(milliseconds: number): string {
  const seconds = Math.abs(milliseconds) / 1_000
  if (seconds < 1) return `${Math.round(Math.abs(milliseconds))} ms`
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`
  return seconds < 2 * 31_557_600 ? `${Math.floor(seconds / 86_400)} d` : `${Math.floor(seconds / 31_557_600)} years`
}

/** How long ago, or in how long; the instant itself on hover and for programs. */
export function When({ at }: { readonly at: string | null | undefined }): ReactNode {
  const current = useNow()
  if (at === null || at === undefined) return <span className="soft">–</span>
  const difference = Date.parse(at) - current
  const text = Math.abs(difference) < 10_000 ? 'now' : difference < 0 ? `${span(difference)} ago` : `in ${span(difference)}`
  return <time dateTime={at} title={at}>{text}</time>
}

/** A digest or an id: short, whole on hover. */
export const Digest = ({ value }: { readonly value: string }): ReactNode => <code className="digest" title={plain(value)}>{plain(value.replace(/^sha256:/, '').slice(0, 12))}</code>

export function Card({ title, side, children, id }: { readonly title: string; readonly side?: ReactNode; readonly children: ReactNode; readonly id?: string }): ReactNode {
  return <section className="card" aria-label={title} id={id}><header><h2>{title}</h2>{side}</header>{children}</section>
}

/** What was refused: asked, found, do; never a bare word (CON-22). */
export function Refusal({ title, code, asked, found, remedy }: { readonly title: string; readonly code: string; readonly asked: string | null; readonly found: string | null; readonly remedy: string | null }): ReactNode {
  return (
    <div className="refusal" role="group" aria-label={plain(title)}>
      <p><Mark outcome="block" word={title} /> <Reason code={code} /></p>
      <dl><dt>asked</dt><dd><Text>{asked}</Text></dd><dt>found</dt><dd><Text>{found}</Text></dd><dt>do</dt><dd><Text>{remedy}</Text></dd></dl>
    </div>
  )
}

export function Fault({ error }: { readonly error: unknown }): ReactNode {
  if (!(error instanceof Refused)) return <Refusal title="This page could not be shown" code="unexpected" asked="a page" found="a fault of the console" remedy="Reload it; if it stays, report it." />
  const { title, code, asked, found, remedy } = error.problem
  return <Refusal title={code === 'access_forbidden' ? 'Not open to your token' : title} code={code} asked={asked} found={found} remedy={remedy} />
}

export const Empty = ({ what, first }: { readonly what: string; readonly first: ReactNode }): ReactNode => <div className="empty"><p>{what}</p><p className="soft">{first}</p></div>
export const Skeleton = ({ rows = 4 }: { readonly rows?: number }): ReactNode => <div className="skeleton" role="status" aria-label="loading">{Array.from({ length: rows }, (_, index) => <span key={index} />)}</div>

interface Asked<Data> { readonly data: Data | undefined; readonly error: Error | null; readonly isPending: boolean }

/** Loading, fault or data of one question; what was answered before stays while it is asked again. */
export function Answer<Data>({ of, rows, children }: { readonly of: Asked<Data>; readonly rows?: number; readonly children: (data: Data) => ReactNode }): ReactNode {
  if (of.data !== undefined) return children(of.data)
  return of.error === null ? <Skeleton rows={rows ?? 4} /> : <Fault error={of.error} />
}

/** A choice among words that stands in the address. */
export function Choice({ label, value, options, choose }: { readonly label: string; readonly value: string | undefined; readonly options: readonly string[]; choose(value: string): void }): ReactNode {
  return <label className="choice">{label} <select value={value ?? ''} onChange={(event) => choose(event.target.value)}><option value="">all</option>{options.map((option) => <option key={option} value={option}>{plain(option.replaceAll('_', ' '))}</option>)}</select></label>
}

/** A dialog over the page; Esc closes it, and what was focused before is focused again. */
export function Dialog({ title, close, children }: { readonly title: string; close(): void; readonly children: ReactNode }): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const before = document.activeElement
    dialog.current?.showModal()
    return () => (before instanceof HTMLElement ? before.focus() : undefined)
  }, [])
  return <dialog ref={dialog} onClose={close} aria-label={plain(title)}><h2><Text>{title}</Text></h2>{children}</dialog>
}

interface Danger { readonly label: string; readonly title: string; readonly consequence: ReactNode; act(reason: string): Promise<unknown>; after(): void }

/** An act that cannot be taken back: names its object and what follows, and goes nowhere without a reason and a second yes (CON-23). */
export function Confirm({ label, title, consequence, act, after }: Danger): ReactNode {
  const [open, setOpen] = useState(false)
  return <><button type="button" className="danger" onClick={() => setOpen(true)}>{label}</button>{open && <Reasoned label={label} title={title} consequence={consequence} act={act} after={after} close={() => setOpen(false)} />}</>
}

/** The dialog of such an act by itself. `children` are what else must be chosen. */
export function Reasoned({ label, title, consequence, act, after, close, children }: Danger & { close(): void; readonly children?: ReactNode }): ReactNode {
  const [fault, setFault] = useState<unknown>(undefined)
  const [reason, setReason] = useState('')
  const [sent, setSent] = useState(false)
  const field = useId()
  const go = (): void => {
    if (reason.trim() === '' || sent) return
    setSent(true)
    act(reason.trim()).then(() => { close(); after() }, (error: unknown) => { setSent(false); setFault(error) })
  }
  return (
    <Dialog title={title} close={close}>
      <p>{consequence}</p>
      <form onSubmit={(event) => { event.preventDefault(); go() }}>
        {children}
        <label htmlFor={field}>Reason</label>
        <textarea id={field} rows={2} maxLength={2_000} required value={reason} onChange={(event) => setReason(event.target.value)} placeholder="stands in the ledger with your name" />
        {fault === undefined ? null : <Fault error={fault} />}
        <p className="acts"><button type="button" onClick={close}>Leave it</button><button type="submit" className="danger" disabled={reason.trim() === '' || sent}>{label}</button></p>
      </form>
    </Dialog>
  )
}
