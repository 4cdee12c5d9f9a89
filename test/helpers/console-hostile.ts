import type { Page } from 'playwright-core'
import { evaluated } from './console-browser.ts'

/** What agents, tickets and providers may write to make a page do something. */
export const HOSTILE = [
  '<script>window.hostile=1</script>', '<img src=x onerror="window.hostile=1">', '"><svg onload=window.hostile=1>', '<a href="javascript:window.hostile=1">click</a>', 'javascript:window.hostile=1',
  '{{constructor.constructor("window.hostile=1")()}}', '</style><style>*{display:none}</style>', '<iframe srcdoc="<script>parent.hostile=1</script>">', '<base href="https://example.invalid/">', '<meta http-equiv=refresh content="0;url=https://example.invalid">',
  'safe\u202egnp.exe', '\u2066isolated\u2069', '\u0000\u0007\u0008', '\u001b]0;title taken\u0007', '\u001b[2J\u001b[31mred', '\u001b]8;;https://example.invalid\u001b\\link\u001b]8;;\u001b\\', 'x'.repeat(1_000_000),
] as const
/** Codes, instants and ids are the server's own: what stands there is no text of anybody. */
const STRUCTURE = /^(?:runId|run_id|state|states|kind|outcome|gate|status|expiry|startedAt|endedAt|decidedAt|at|expires_at|expiresAt|lastUsedAt|createdAt|created_at|updated_at|state_since|started_at|ended_at|began_at|last_activity_at|changed_at|heartbeat_at|proven_until|probed_at|retry_at|lastTransitionTime|digest|sha256|previous|evidence|next|last|id|ticket|since|dialect|pem|key_id|algorithm|epoch|code|retry|type|phase|priority|moves|origin|mode|runtime_state|runtime|verdict|area|from|to|stage|path|health|act|session)$/

/** Puts a text behind every string of an answer that people or agents can write; a long one behind the first few, or the answer would not fit into memory. */
export function poisoned(value: unknown, text: string, left = { count: text.length > 10_000 ? 6 : Infinity }): unknown {
  if (Array.isArray(value)) return value.map((each) => poisoned(each, text, left))
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, (STRUCTURE.test(name) && typeof each !== 'object') || left.count <= 0 ? each : typeof each === 'string' ? (left.count--, `${each} ${text}`) : Array.isArray(each) && STRUCTURE.test(name) ? each : poisoned(each, text, left)]))
  return value
}

export interface Poison {
  /** From now on behind every string. */
  set(text: string): void
  readonly count: () => number
  readonly refused: readonly string[]
}

/** Poisons every answer that the page asks for. */
export async function poison(page: Page, address: string): Promise<Poison> {
  let [text, count] = ['', 0]
  const refused: string[] = []
  await page.route(/\/(?:runs|calls|profiles|matrix|admissions|tokens|access|acts|overview|agents|tickets|drill|doctor)(?:[/?]|$)/, async (route) => {
    // The headers by which the server knows its own page are set behind the interception.
    const answer = await route.fetch({ headers: { ...route.request().headers(), origin: address } }).catch(() => undefined)
    // The page that asked has been left.
    if (answer === undefined) return
    if (answer.status() !== 200) refused.push(`${answer.status()} ${route.request().url()}`)
    count += 1
    if (answer.headers()['content-type']?.includes('json') !== true) return await route.fulfill({ response: answer, body: `diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+${text}\n` })
    return await route.fulfill({ response: answer, body: JSON.stringify(poisoned(await answer.json(), text)) })
  })
  return { set: (next) => void (text = next), count: () => count, refused }
}

/** What the texts have done to the page. */
export const damage = (page: Page): Promise<unknown> => evaluated(page, `(() => {
  const all = document.body.textContent
  return JSON.stringify({
    ran: window.hostile, title: document.title, elements: document.querySelectorAll('script:not([src]),img,iframe,base,style,object,embed,[onerror],[onload]').length,
    links: [...document.querySelectorAll('a')].filter((link) => !link.href.startsWith(location.origin)).length,
    hidden: /[\\u0000-\\u0008\\u001b\\u202a-\\u202e\\u2066-\\u2069]/.test(all), seen: document.querySelector('main').getClientRects().length,
  })
})()`)
export const UNHARMED: string = JSON.stringify({ title: 'Portcullis', elements: 0, links: 0, hidden: false, seen: 1 })
