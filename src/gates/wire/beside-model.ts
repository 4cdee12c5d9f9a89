import type { Dialect } from '../../contract/model.ts'
import { fetchedBy } from './fetched-content.ts'
import { type Member, scanArray } from './json-scan.ts'
import { decoded, plain, PRINTABLE, spelt, textOf } from './member-name.ts'

/** What a request asks of a provider beside one answer of the model that it names. */
export interface BesideModel {
  readonly ok: true
  /** What the provider would run or bring in by itself, by the type or the member that asks for it. */
  readonly tools: readonly string[]
  /** Further models that are named, to do a part of the work. */
  readonly models: readonly string[]
  /** Members that have the provider fetch content from an address. */
  readonly fetched: readonly string[]
}

export type BesideRead = BesideModel | { readonly ok: false; readonly found: string }

/** Members by which gateways and providers let a request choose another model or another address than the one it names. */
const ROUTING: ReadonlySet<string> = new Set([
  'models', 'fallbacks', 'fallbackmodels', 'contextwindowfallbacks', 'contextwindowfallbackdict', 'contentpolicyfallbacks', 'preset', 'modellist', 'userconfig', 'apibase', 'baseurl', 'apikey', 'customllmprovider',
])

/** Members by which a request has the provider do more than answer: search, reach a server, run code, take up a stored prompt with tools of its own. */
const PROVIDER_MEMBERS: ReadonlySet<string> = new Set(['mcpservers', 'container', 'websearchoptions', 'searchparameters', 'searchsettings', 'enablesearch', 'compoundcustom', 'plugins', 'prompt'])

/** The types of tools whose calls come back to the client, which runs them. What is not here, the provider runs. */
const RUN_BY_CLIENT: Readonly<Record<Exclude<Dialect, 'gemini'>, RegExp>> = {
  'openai-chat': /^(?:function|custom)$/,
  'openai-responses': /^(?:function|custom|local_shell|apply_patch|computer|computer_use_preview|tool_search|namespace)$/,
  'anthropic-messages': /^(?:custom|(?:bash|text_editor|computer|memory)_\d+|tool_search_tool_(?:regex|bm25)(?:_\d+)?)$/,
}

/** Gemini has no types: each kind of tool is a member of its own. */
const RUN_BY_CLIENT_OF_GEMINI: ReadonlySet<string> = new Set(['functiondeclarations', 'computeruse'])

/** The same members, which gateways in front of Gemini also take from a tool of another dialect. */
const GEMINI_TOOLS: ReadonlySet<string> = new Set(['googlesearch', 'googlesearchretrieval', 'enterprisewebsearch', 'googlemaps', 'codeexecution', 'urlcontext', 'filesearch', 'retrieval', 'mcpservers'])

/**
 * Reads what a request asks beside an answer of its model (WIR-07): a tool that the provider runs reaches where no isolation of
 * ours holds, and another model that is named in one is asked without standing in the answer. What is not known to come back
 * to the client counts as run by the provider. `members` are those of the body, as `scanObject` gave them.
 */
export function readBeside(dialect: Dialect, body: Uint8Array, members: readonly Member[]): BesideRead {
  const seen: Seen = { dialect, tools: [], models: [] }
  for (const member of members) {
    const name = spelt(body, member)
    const found = name === undefined ? undefined : readMember(seen, body, member, name)
    if (found !== undefined) return { ok: false, found }
  }
  return { ok: true, tools: seen.tools, models: seen.models, fetched: fetchedBy(body, members) }
}

interface Seen {
  readonly dialect: Dialect
  readonly tools: string[]
  readonly models: string[]
}

/** Reads one member of a request; what is wrong with it, or undefined. */
function readMember(seen: Seen, body: Uint8Array, member: Member, name: string): string | undefined {
  if (name === 'tools') return readTools(seen, body, member)
  if (name === 'input' && seen.dialect === 'openai-responses') return readItems(seen, body, member)
  const text = shortText(body, member)
  if (NOTHING.has(text)) return undefined
  if (ROUTING.has(name)) return `"${plain(body, member)}", by which another model or address could be chosen than the one that was asked for`
  // The stored prompt of this dialect has a model and tools of its own; elsewhere the word means the text.
  if (PROVIDER_MEMBERS.has(name) && (name !== 'prompt' || seen.dialect === 'openai-responses')) seen.tools.push(plain(body, member))
  if (name === 'background' && seen.dialect === 'openai-responses') return 'an answer that is to be fetched later, which nobody would witness'
  return undefined
}

/** Values that ask for nothing. An empty object asks: `"web_search_options": {}` searches. */
const NOTHING: ReadonlySet<string> = new Set(['null', 'false', '[]', '""'])

/** Codex brings tools in items of its input; whatever item has a list of tools is read. */
function readItems(seen: Seen, body: Uint8Array, { valueStart, valueEnd }: Member): string | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset + valueStart, valueEnd - valueStart)
  // Inside a text the quote would be escaped, and a name that is spelt with escapes has one of them.
  if (!['ools"', 'OOLS"', '\\u'].some((sign) => bytes.includes(sign))) return undefined
  if (bytes[0] === 0x22) return undefined
  const items = scanArray(body, valueStart)
  if (items === undefined) return '"input" whose items cannot be read'
  for (const member of items.flatMap((members) => members ?? [])) {
    const found = spelt(body, member) === 'tools' ? readTools(seen, body, member) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

function readTools(seen: Seen, body: Uint8Array, { valueStart, valueEnd }: Member, inNamespace = false): string | undefined {
  if (valueEnd - valueStart === 4 && textOf(body, valueStart, valueEnd) === 'null') return undefined
  const tools = scanArray(body, valueStart)
  if (tools === undefined) return '"tools" that are no list'
  for (const members of tools) {
    const found = members === undefined ? 'a tool that is no object' : readTool(seen, body, members, inNamespace)
    if (found !== undefined) return found
  }
  return undefined
}

function readTool(seen: Seen, tool: Uint8Array, members: readonly Member[], inNamespace: boolean): string | undefined {
  const named = new Map<string, Member>()
  const before = seen.tools.length
  for (const member of members) {
    const name = spelt(tool, member)
    if (name === undefined) continue
    // Two parsers could read two tools out of it.
    if (named.has(name)) return `a tool that says "${plain(tool, member)}" twice`
    named.set(name, member)
    if (seen.dialect === 'gemini' ? !RUN_BY_CLIENT_OF_GEMINI.has(name) : GEMINI_TOOLS.has(name)) seen.tools.push(plain(tool, member))
  }
  const model = valueOf(tool, named.get('model'))
  if (model !== undefined && model !== null && typeof model !== 'string') return 'a tool whose "model" is not a string'
  if (typeof model === 'string') seen.models.push(model)
  if (seen.dialect === 'gemini') return undefined
  const type = valueOf(tool, named.get('type')) ?? undefined
  const inner = named.get('tools')
  // Each level is walked again, so one is enough.
  if (inner !== undefined && inNamespace) return 'a list of tools inside of two others'
  const found = inner === undefined ? undefined : readTools(seen, tool, inner, true)
  if (found !== undefined) return found
  // A tool that is named by a member has no type of its own to be listed by.
  if (type === undefined && seen.tools.length > before) return undefined
  if (!isRunByClient(seen.dialect, type, tool, named)) seen.tools.push(typeof type === 'string' && PRINTABLE.test(type) ? type : 'a tool of no known type')
  return undefined
}

function isRunByClient(dialect: Exclude<Dialect, 'gemini'>, type: unknown, tool: Uint8Array, named: ReadonlyMap<string, Member>): boolean {
  // A tool of Anthropic needs no type; one of the others is what it describes.
  if (type === undefined) return dialect === 'anthropic-messages' || named.has('function')
  if (typeof type !== 'string') return false
  if (type !== 'shell' || dialect !== 'openai-responses') return RUN_BY_CLIENT[dialect].test(type)
  const environment = named.get('environment')
  return environment !== undefined && shortText(tool, environment) === '{"type":"local"}'
}

const valueOf = (body: Uint8Array, member: Member | undefined): unknown => (member === undefined ? undefined : decoded(body, member.valueStart, member.valueEnd))

/** The text of a short value, without the spaces that mean nothing in an empty list. */
const shortText = (body: Uint8Array, { valueStart, valueEnd }: Member): string => (valueEnd - valueStart > 64 ? '' : textOf(body, valueStart, valueEnd).replace(/\s+/g, ''))
