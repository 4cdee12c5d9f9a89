import * as z from 'zod'
import { PortcullisError } from '../contract/errors.ts'
import { Name } from '../contract/ids.ts'
import { comment, type TicketDraft } from '../engine/index.ts'
import { type Actor, PageAddress, type PRIORITIES, Ticket, TicketEvent, type WORK_KINDS } from '../gates/dispatch/index.ts'
import type { TicketDesk } from './tickets.ts'

/** What `tickets export` writes: each ticket with its whole history. */
export const TicketFile = z.strictObject({ portcullis_tickets: z.literal(1), tickets: z.array(z.strictObject({ ticket: Ticket, events: z.array(TicketEvent) })).max(100_000) })
export type TicketFile = z.infer<typeof TicketFile>

const PAGE = 500

async function* pagesOf(desk: TicketDesk): AsyncGenerator<readonly Ticket[]> {
  for (let before: number | undefined; ; ) {
    const page = await desk.book.store.list({ state: undefined, project: undefined, owner: undefined, before, limit: PAGE })
    yield page
    before = page.at(-1)?.number
    if (page.length < PAGE) return
  }
}

/** Every ticket with its events, the oldest first. */
export async function exportTickets(desk: TicketDesk): Promise<TicketFile> {
  const tickets: TicketFile['tickets'] = []
  for await (const page of pagesOf(desk)) for (const ticket of page) tickets.push({ ticket, events: [...(await desk.book.store.events(ticket.id, 0, ticket.version))] })
  return { portcullis_tickets: 1, tickets: tickets.toReversed() }
}

/** An issue as GitHub's API and `gh issue list --json` give it; what else stands there is left aside. */
const GitHubIssue = z.object({
  number: z.int().positive(),
  title: z.string().min(1),
  body: z.string().nullish(),
  html_url: PageAddress.optional(),
  url: PageAddress.optional(),
  labels: z.array(z.union([z.string(), z.object({ name: z.string() })])).optional(),
  pull_request: z.unknown().optional(),
})

interface Incoming {
  readonly draft: TicketDraft
  readonly comments: readonly string[]
}

export interface Imported {
  readonly created: readonly string[]
  /** References that are here already: an import that is repeated makes nothing twice. */
  readonly skipped: readonly string[]
}

/** Brings in tickets of an export of ours or issues of GitHub. Every one begins in triage: what another system said of them is mirrored, and decides nothing. */
export async function importTickets(desk: TicketDesk, actor: Actor, document: unknown, given: { readonly project: string; readonly kind: (typeof WORK_KINDS)[number]; readonly priority: (typeof PRIORITIES)[number] }): Promise<Imported> {
  const incoming = incomingOf(document, given)
  const known = new Set<string>()
  for await (const page of pagesOf(desk)) for (const { source } of page) if (source !== null) known.add(source.reference)
  const created: string[] = []
  const skipped: string[] = []
  for (const { draft, comments } of incoming) {
    const reference = draft.source?.reference ?? ''
    if (known.has(reference)) {
      skipped.push(reference)
      continue
    }
    known.add(reference)
    const ticket = await desk.book.create(draft, actor, 'mirrored')
    for (const text of comments) {
      const told = await comment(desk.book, ticket.id, actor, text, 'mirrored')
      // That something was said there is told, and what was not taken over is named.
      if (!told.ok) await comment(desk.book, ticket.id, actor, `[a comment was left out: ${told.refusal.found}]`, 'mirrored')
    }
    created.push(ticket.id)
  }
  return { created, skipped }
}

function incomingOf(document: unknown, given: Parameters<typeof importTickets>[3]): readonly Incoming[] {
  const project = Name.parse(given.project)
  const ours = TicketFile.safeParse(document)
  if (ours.success) return ours.data.tickets.map(({ ticket, events }) => ({ draft: draftOf(ticket), comments: events.flatMap(({ kind, text, actor }) => (kind === 'commented' && text !== null ? [`${actor.id}: ${text}`] : [])) }))
  const issues = z.array(GitHubIssue).max(100_000).safeParse(document)
  if (issues.success) return issues.data.filter((issue) => issue.pull_request === undefined).map((issue) => ({ draft: { ...draftOfIssue(issue), project, kind: given.kind, priority: given.priority }, comments: [] }))
  throw new PortcullisError('import_invalid', { asked: 'a file of tickets export, or issues of GitHub as JSON', found: 'neither', remedy: 'Write one with npx portcullis tickets export, or with gh issue list --json number,title,body,url,labels.' })
}

const draftOf = ({ id, title, description, priority, project, kind, labels, source, acceptance, repositories }: Ticket): TicketDraft => ({
  title, description, priority, project, kind, labels, repositories, acceptance: acceptance.map((item) => ({ id: item.id, text: item.text })),
  source: source === null ? { reference: `portcullis:${project}/${id}`, key: id, url: null } : { reference: source.reference, key: source.key, url: source.url },
})

function draftOfIssue({ number, title, body, html_url: page, url, labels }: z.infer<typeof GitHubIssue>): Omit<TicketDraft, 'project' | 'kind' | 'priority'> {
  const address = page ?? url ?? null
  const repository = address === null ? null : /^https:\/\/[^/]+\/([^/]+\/[^/]+)\/issues\/\d+$/.exec(address)?.[1] ?? null
  return {
    title: title.slice(0, 300), description: (body ?? '').slice(0, 100_000), labels: (labels ?? []).map((label) => (typeof label === 'string' ? label : label.name)).slice(0, 50),
    source: { reference: `github:${repository ?? 'issue'}#${number}`, key: `#${number}`, url: address }, acceptance: [], repositories: [],
  }
}
