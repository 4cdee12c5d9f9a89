import * as z from 'zod'
import { PortcullisError, systemCode } from '../../contract/errors.ts'

/** GitHub's own. An Enterprise server has another, which whoever asks names. */
export const GITHUB_API = 'https://api.github.com'

const PAGE = 100
const MOST_PAGES = 1_000
const MOST_PAGE_BYTES = 32 * 1_048_576
/** One page may take so long. */
const PAGE_MS = 60_000

export interface IssueRequest {
  /** `owner/name`. */
  readonly repository: string
  readonly api: string
  /** Undefined for what everybody may read. */
  readonly token: string | undefined
}

/** Every open issue of a repository, page by page, as the API gives them. Throws what stood in the way; nothing of it quotes the token or an answer. */
export async function githubIssues(request: IssueRequest): Promise<readonly unknown[]> {
  const issues: unknown[] = []
  let next: URL | undefined = firstPage(request)
  for (let pages = 1; next !== undefined; pages += 1) {
    if (pages > MOST_PAGES) throw fault(request, 'import_invalid', `more than ${MOST_PAGES} pages`, 'Export a part of them with gh issue list, and import the file.')
    const response = await ask(request, next)
    issues.push(...(await listOf(request, response)))
    next = nextPage(request, response.headers.get('link'))
  }
  return issues
}

function firstPage(request: IssueRequest): URL {
  const { repository, api, token } = request
  if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/[A-Za-z0-9._-]{1,100}$/.test(repository) || /\/\.{1,2}$/.test(repository)) throw new PortcullisError('usage', { asked: 'a repository as owner/name', found: JSON.stringify(repository.slice(0, 200)), remedy: 'Write it as in acme/shop.' })
  const base = URL.parse(api)
  const local = base !== null && ['127.0.0.1', '[::1]', 'localhost'].includes(base.hostname)
  if (base === null || base.username !== '' || base.password !== '' || base.search !== '' || !(base.protocol === 'https:' || (base.protocol === 'http:' && local))) throw new PortcullisError('usage', { asked: 'the address of an API, over https', found: base === null ? 'no address' : `${base.protocol}//${base.host}`, remedy: `Write it as in ${GITHUB_API}; over plain http a token could be read on its way.` })
  if (token !== undefined && !/^[\x21-\x7e]{1,1024}$/.test(token)) throw new PortcullisError('usage', { asked: 'a token of GitHub', found: token === '' ? 'an empty one' : 'text that no header can carry', remedy: 'Give the token alone, without blanks or line breaks.' })
  return new URL(`${base.origin}${base.pathname.replace(/\/$/, '')}/repos/${repository}/issues?state=open&per_page=${PAGE}`)
}

async function ask(request: IssueRequest, url: URL): Promise<Response> {
  const headers = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28', 'user-agent': 'portcullis', ...(request.token === undefined ? {} : { authorization: `Bearer ${request.token}` }) }
  let response: Response
  try {
    // A redirect could take the token elsewhere.
    response = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(PAGE_MS) })
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined
    throw fault(request, 'server_unreachable', systemCode(cause) ?? (error instanceof Error ? error.name : typeof error), 'See whether the address can be reached from here, and import again.')
  }
  if (response.status === 200) return response
  await response.body?.cancel()
  throw refused(request, response)
}

function refused(request: IssueRequest, { status, headers }: Response): PortcullisError {
  const shown = request.token === undefined ? 'without a token' : 'with the token that was given'
  const found = `status ${status}, asked ${shown}`
  if (status === 401) return fault(request, 'access_denied', found, 'The token is not valid any more, or not of this server. Make a new one.')
  if (status === 429 || (status === 403 && (headers.get('x-ratelimit-remaining') === '0' || headers.has('retry-after')))) return fault(request, 'attempts_limited', `${found}: the limit of requests is used up${until(headers)}`, request.token === undefined ? 'Give a token, which may ask more often, or wait until then.' : 'Wait until then, and import again: what is here already is left alone.')
  if (status === 403) return fault(request, 'access_denied', found, 'The token may not read the issues of this repository. It needs `Issues: read`.')
  if (status === 404) return fault(request, 'nothing_stored', found, request.token === undefined ? 'There is no such repository, or it is private: then give a token that may read its issues.' : 'There is no such repository, or the token may not see it.')
  if (status === 410) return fault(request, 'nothing_stored', found, 'The repository has no issues: they are turned off.')
  if (status >= 300 && status < 400) return fault(request, 'nothing_stored', `${found}: it has moved`, 'Name the repository by its present owner and name; the token is not sent to another address.')
  return fault(request, 'server_unreachable', found, 'Import again later.')
}

/** When the limit begins anew, if the answer says so. */
function until(headers: Headers): string {
  const after = Number(headers.get('retry-after') ?? Number.NaN)
  const reset = Number(headers.get('x-ratelimit-reset') ?? Number.NaN)
  if (Number.isSafeInteger(after) && after >= 0) return `, again in ${after} s`
  return Number.isSafeInteger(reset) && reset > 0 && reset < 32_503_680_000 ? `, again at ${new Date(reset * 1_000).toISOString()}` : ''
}

async function listOf(request: IssueRequest, response: Response): Promise<readonly unknown[]> {
  const invalid = (found: string): PortcullisError => fault(request, 'import_invalid', found, 'See whether this is the address of an API of GitHub.')
  let text = ''
  let bytes = 0
  const decoder = new TextDecoder()
  const body: AsyncIterable<Uint8Array> | readonly Uint8Array[] = response.body ?? []
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > MOST_PAGE_BYTES) throw invalid(`a page of more than ${MOST_PAGE_BYTES} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  const page = z.array(z.unknown()).safeParse(parsed(text))
  if (!page.success) throw invalid('an answer that is no list of issues')
  return page.data
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The next page is where the answer says, if that is the same server: the token goes nowhere else. */
function nextPage(request: IssueRequest, link: string | null): URL | undefined {
  const next = /<([^>]+)>\s*;\s*rel="next"/.exec(link ?? '')?.[1]
  if (next === undefined) return undefined
  const url = URL.parse(next)
  if (url === null || url.origin !== new URL(request.api).origin) throw fault(request, 'import_invalid', 'a next page at another address', 'See whether this is the address of an API of GitHub.')
  return url
}

const fault = ({ repository, api }: IssueRequest, code: 'access_denied' | 'attempts_limited' | 'import_invalid' | 'nothing_stored' | 'server_unreachable', found: string, remedy: string): PortcullisError => new PortcullisError(code, { asked: `the open issues of ${repository} at ${new URL(api).host}`, found, remedy })
