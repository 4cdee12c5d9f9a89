import type { Answers, Bodies, Problem } from './api-types.ts'

export type { Answers, Bodies, Problem }

/** What the server refused or could not do, with what it said about it; or that it could not be reached at all. */
export class Refused extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail)
    this.problem = problem
  }
}

const UNREACHABLE: Problem = { type: 'about:blank', title: 'The server does not answer', status: 0, detail: 'The server does not answer', code: 'unreachable', asked: 'an answer of the server', found: 'no connection', remedy: 'See that portcullis serve runs; this page goes on by itself once it does.', retry: 'later' }

/** In the memory of this page alone, so that it can come back to a server that was started again: sessions end with their server. */
let held: string | undefined
let renewing: Promise<boolean> | undefined

/** Opens a new session with the token of this page. False where there is none, or where it is in force no more. */
export function renewSession(): Promise<boolean> {
  const token = held
  if (token === undefined) return Promise.resolve(false)
  renewing ??= fetch('/session', { method: 'POST', credentials: 'same-origin', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` } })
    .then((answer) => answer.ok, () => false)
    .finally(() => (renewing = undefined))
  return renewing
}

async function send(path: string, init: RequestInit): Promise<Response> {
  const answer = await sendOnce(path, init)
  if (answer.status === 401 && path !== '/session' && (await renewSession())) return read(await sendOnce(path, init))
  return read(answer)
}

async function sendOnce(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { ...init, credentials: 'same-origin', cache: 'no-store' })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new Refused(UNREACHABLE)
  }
}

async function read(answer: Response): Promise<Response> {
  if (answer.ok) return answer
  if (answer.headers.get('content-type')?.startsWith('application/problem+json') === true) throw new Refused(await problemIn(answer))
  throw new Refused({ ...UNREACHABLE, status: answer.status, code: 'unexpected', title: 'An answer that is none of the server', found: `status ${answer.status}` })
}

// The shapes are those of openapi.json, which the server that answers publishes and validates by.
const problemIn = async (answer: Response): Promise<Problem> => (await answer.json()) as Problem

/** A question to the server. The answer has the shape that openapi.json gives this operation. */
export async function get<Id extends keyof Answers>(_operation: Id, path: string, signal?: AbortSignal): Promise<Answers[Id]> {
  const answer = await send(path, signal === undefined ? {} : { signal })
  return (await answer.json()) as Answers[Id]
}

/** The bytes of a stored file, or null where the run left none. */
export async function getText(path: string, signal?: AbortSignal): Promise<string | null> {
  try {
    return await (await send(path, signal === undefined ? {} : { signal })).text()
  } catch (error) {
    if (error instanceof Refused && error.problem.code === 'nothing_stored') return null
    throw error
  }
}

/** An act. Its key makes a second sending of the same click do nothing. */
export async function act(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const answer = await send(path, { method, headers: { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID(), ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  return answer.status === 204 ? undefined : await answer.json()
}

/** The session is a cookie that no script can read. */
export async function signIn(token: string): Promise<void> {
  await act('POST', '/session', undefined, { authorization: `Bearer ${token}` })
  held = token
}

export async function signOut(): Promise<void> {
  held = undefined
  await act('DELETE', '/session')
}
