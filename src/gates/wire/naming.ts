import { type Member, scanObject } from './json-scan.ts'
import { locateModel, type ModelField } from './model-field.ts'
import type { ModelInPath, Route } from './routes.ts'

/** How a request names the model it asks. */
export interface Naming {
  readonly named: true
  readonly model: string
  readonly stream: boolean
  /** Where the body names it, if that is where another model would have to be written. */
  readonly field: ModelField | undefined
  /** Every member of the body. */
  readonly members: readonly Member[]
  /** Why no other model can be written in place of this one; undefined if one can. */
  readonly fixed: string | undefined
}

/** Why a request names no model that can be read without a guess. */
export interface NoNaming {
  readonly named: false
  readonly found: string
  readonly remedy: string
}

const unnamed = (found: string, remedy: string): NoNaming => ({ named: false, found, remedy })

/**
 * Which model a request asks, in the body or, for Gemini, in the path (WIR-07). `body` is what can be read: decoded, if it came
 * compressed, and then `compressed` is true and nothing in it can be rewritten.
 */
export function readNaming(route: Route | undefined, query: string, body: Uint8Array, compressed: boolean): Naming | NoNaming {
  if (route?.inPath !== undefined) return readPathNaming(route.inPath, query, body)
  const remedy = 'Send one JSON object with one top-level "model" string.'
  if (body.length === 0) return unnamed('a request without a body', remedy)
  const field = locateModel(body)
  if (!field.found) return unnamed(field.detail, remedy)
  return { named: true, model: field.model, stream: field.stream, field, members: field.members, fixed: compressed ? 'a compressed body, in which the wire rewrites nothing' : undefined }
}

/**
 * Gemini names the model in the path. A body may repeat it, and does when tokens are counted for a whole request; another name
 * there would leave it to the provider which of the two it takes, so it is refused, and a repeated one cannot be mapped.
 */
function readPathNaming({ model, method }: ModelInPath, query: string, body: Uint8Array): Naming | NoNaming {
  const form = formProblem(method, query)
  if (form !== undefined) return form
  const read = namesInBody(body)
  if (typeof read === 'string') return unnamed(read, 'Send one JSON object; the model stands in the path.')
  const { names: outer, members } = read
  if (outer.some((name) => name !== model && name !== `models/${model}`)) return unnamed('another model in the body than in the path', 'Name the model once, in the path.')
  return { named: true, model, stream: method === 'streamGenerateContent', field: undefined, members, fixed: outer.length === 0 ? undefined : 'a body that repeats the model of the path, of which only the path is rewritten' }
}

/** Streams are read as events, answers as one JSON object. Google has more forms; in those the served model cannot be read here. */
function formProblem(method: ModelInPath['method'], query: string): NoNaming | undefined {
  const forms = [...new URLSearchParams(query)].filter(([name]) => /^\$?alt$/i.test(name)).map(([, form]) => form)
  if (method === 'streamGenerateContent') return forms.length === 1 && forms[0] === 'sse' ? undefined : unnamed('a stream that is not asked for as events', 'Add ?alt=sse to the path, as the SDKs do.')
  return forms.every((form) => form === 'json') ? undefined : unnamed('an answer asked for in another form than JSON', 'Leave ?alt= out.')
}

/** Every model that a body of Gemini names, at its top and in the request whose tokens are to be counted; or what is wrong with it. */
function namesInBody(body: Uint8Array): { readonly names: readonly string[]; readonly members: readonly Member[] } | string {
  const field = locateModel(body)
  if (!field.found && field.problem !== 'missing') return field.detail
  const scanned = scanObject(body)
  if (!scanned.ok) return scanned.found
  const names = field.found ? [field.model] : []
  for (const { keyStart, keyEnd, valueStart, valueEnd } of scanned.members) {
    const key: unknown = JSON.parse(text(body, keyStart, keyEnd))
    // Google reads both spellings of a name; whatever comes near is taken for it.
    if (typeof key !== 'string' || key.replaceAll('_', '').toLowerCase() !== 'generatecontentrequest') continue
    const inner = locateModel(body.subarray(valueStart, valueEnd))
    if (!inner.found && inner.problem !== 'missing') return `${inner.detail}, within the request to count`
    if (inner.found) names.push(inner.model)
  }
  return { names, members: scanned.members }
}

const text = (bytes: Uint8Array, start: number, end: number): string => Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString()
