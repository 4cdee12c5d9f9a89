type Node = { readonly [key: string]: unknown }

/** An object of fewer members is shorter where it stands than as a reference. */
const LEAST_MEMBERS = 3

/**
 * The same document in which each shape that stands in several places stands once, under components.schemas, and is referred to:
 * a client made from it then has one type for one thing. A shape is named by the first place where it stands.
 */
export function shareSchemas(paths: Node, named: Readonly<Record<string, object>>): { readonly paths: unknown; readonly schemas: Readonly<Record<string, unknown>> } {
  const sharing = new Sharing(named)
  sharing.count(paths)
  return { paths: sharing.refer(paths, []), schemas: { ...named, ...sharing.schemas } }
}

class Sharing {
  readonly schemas: Record<string, unknown> = {}
  readonly #times = new Map<string, number>()
  readonly #names = new Map<string, string>()
  readonly #taken: Set<string>

  constructor(named: Readonly<Record<string, object>>) {
    this.#taken = new Set(Object.keys(named))
  }

  count(value: unknown): void {
    if (isShape(value)) {
      const text = JSON.stringify(value)
      const times = (this.#times.get(text) ?? 0) + 1
      this.#times.set(text, times)
      // What lies within was counted with the first; it is referred to only if it stands elsewhere too.
      if (times > 1) return
    }
    for (const member of membersOf(value)) this.count(member[1])
  }

  /** `value` with references for what is shared; `path` is where it stands. */
  refer(value: unknown, path: readonly string[]): unknown {
    if (!isShape(value)) return this.#within(value, path)
    const text = JSON.stringify(value)
    if ((this.#times.get(text) ?? 0) < 2) return this.#within(value, path)
    const known = this.#names.get(text)
    if (known !== undefined) return { $ref: `#/components/schemas/${known}` }
    const name = this.#nameFor(path)
    this.#names.set(text, name)
    // Taken before what lies within it, so that the order is that of the document.
    this.schemas[name] = undefined
    this.schemas[name] = this.#within(value, [name])
    return { $ref: `#/components/schemas/${name}` }
  }

  #within(value: unknown, path: readonly string[]): unknown {
    if (Array.isArray(value)) return value.map((member) => this.refer(member, path))
    if (typeof value !== 'object' || value === null) return value
    const own = typeof (value as Node)['operationId'] === 'string' ? [String((value as Node)['operationId'])] : path
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, this.refer(member, [...own, key])]))
  }

  #nameFor(path: readonly string[]): string {
    const words = path.filter((word) => !STRUCTURE.has(word) && /^[A-Za-z]/.test(word))
    const name = (words.length > 1 ? words.slice(-2) : words).map((word) => word.split(/[^A-Za-z0-9]+/).map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join('')).join('') || 'Shape'
    let free = name
    for (let number = 2; this.#taken.has(free); number += 1) free = `${name}${number}`
    this.#taken.add(free)
    return free
  }
}

/** Words of JSON Schema and OpenAPI, which name nothing of ours. */
const STRUCTURE = new Set(['properties', 'items', 'anyOf', 'oneOf', 'allOf', 'schema', 'content', 'responses', 'requestBody', 'default', 'additionalProperties', 'prefixItems', 'application/json'])

const membersOf = (value: unknown): [string, unknown][] => (typeof value === 'object' && value !== null ? Object.entries(value) : [])

const isShape = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value) && (value as Node)['type'] === 'object' && membersOf((value as Node)['properties']).length >= LEAST_MEMBERS
