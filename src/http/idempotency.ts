import * as z from 'zod'
import { digestOf } from '../contract/canonical.ts'
import { PortcullisError } from '../contract/errors.ts'
import { problemOfFault } from './problem.ts'
import type { Answer, Call, Route } from './route.ts'

const KEY = /^[\x21-\x7e]{1,200}$/

/**
 * Answers a request with an `Idempotency-Key` once: the same request under the same key of the same holder gets the same answer
 * again, another one is refused. A request whose answer was never stored may have done its work, so it is not begun again.
 */
export async function answerOnce(route: Route, call: Call<unknown, unknown, unknown>, path: string, answer: () => Promise<Answer>): Promise<Answer> {
  const key = call.headers.get('idempotency-key')
  const holder = call.principal?.id
  if (key === null || route.method === 'GET' || holder === undefined) return answer()
  if (!KEY.test(key)) throw new PortcullisError('request_invalid', { asked: 'an Idempotency-Key of 1 to 200 visible characters', found: 'another', remedy: 'Take a random one for each request, as a UUID.' })
  const { store, options } = call.server
  const earlier = await store.takeKey({ holder, key, digest: digestOf({ method: route.method, path, query: call.query, body: call.body ?? null }), at: options.clock() })
  if (earlier.state === 'other') throw new PortcullisError('idempotency_key_reused', { asked: 'a key for this request', found: 'one that was used for another request', remedy: 'Take a new key for each request.' })
  if (earlier.state === 'same') {
    if (earlier.answer === null) throw new PortcullisError('outcome_unknown', { asked: 'the answer that was given under this key', found: 'a request that goes on, was cut off, or whose answer is shown once', remedy: 'Look at what is there before you send it again under another key.' })
    const { status, contentType, body } = earlier.answer
    return { status, contentType, bytes: body, headers: { 'idempotency-replayed': 'true' } }
  }
  return keep(route, call, { holder, key }, answer)
}

async function keep(route: Route, { server }: Call<unknown, unknown, unknown>, taken: { readonly holder: string; readonly key: string }, answer: () => Promise<Answer>): Promise<Answer> {
  const given = await answer().catch(async (error: unknown) => {
    const told = problemOfFault(error)
    // Nothing was done, so the same may be tried again; of any other fault nobody knows how far it came.
    if (error instanceof PortcullisError && error.code === 'server_draining') await server.store.releaseKey(taken)
    else if (told.status < 500) await server.store.keepAnswer(taken, { status: told.status, contentType: 'application/problem+json', body: `${JSON.stringify(told, null, 2)}\n` })
    throw error
  })
  // Refused until later: nothing was done, so the same request may be made again under its key.
  if ('json' in given && isForLater(given.json)) await server.store.releaseKey(taken)
  else if (!route.once && 'json' in given && given.status < 500) await server.store.keepAnswer(taken, { status: given.status, contentType: given.contentType ?? 'application/json', body: `${JSON.stringify(given.json, null, 2)}\n` })
  return given
}

const Later = z.looseObject({ type: z.string(), status: z.literal(409), code: z.string(), retry: z.literal('later') })
const isForLater = (told: unknown): boolean => Later.safeParse(told).success
