/** Formats that are a credential wherever they stand. Anchored by their prefix, so that each is linear to search. */
const KNOWN_FORMATS: readonly (readonly [name: string, format: RegExp])[] = [
  ['an Anthropic key or token', /\bsk-ant-[A-Za-z0-9_-]{8,}/],
  ['an API key', /\bsk-[A-Za-z0-9_-]{16,}/],
  ['a GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,})/],
  ['a GitLab token', /\bglpat-[A-Za-z0-9_-]{16,}/],
  ['an AWS access key', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/],
  ['a Slack token', /\bxox[abeoprs]-[A-Za-z0-9-]{8,}/],
  ['a Google key', /\bAIza[0-9A-Za-z_-]{30,}/],
  ['an npm token', /\bnpm_[A-Za-z0-9]{30,}/],
  ['a Hugging Face token', /\bhf_[A-Za-z0-9]{30,}/],
  ['a run token', /\bpcr_[A-Za-z0-9_-]{40,}/],
  ['an access token', /\bpca_[A-Za-z0-9_-]{40,}/],
  ['a JSON web token', /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\./],
  ['a private key', /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/],
  ['an authorization header', /\b(?:bearer|basic)\s+[A-Za-z0-9+/._~=-]{16,}/i],
  ['an address with a password', /:\/\/[^\s/@:]{0,200}:[^\s/@]{1,200}@/],
  ['an assignment of a secret', /\b(?:password|passwd|secret|token|api[_-]?key)\s*[=:]\s*["']?[^\s"',;]{6,}/i],
]

// Compared without separators and case, so that `apiKey`, `api-key` and `API_KEY` are one name.
const SECRET_NAME = /password|passwd|passphrase|secret|token|apikey|accesskey|privatekey|signingkey|authorization|bearer|cookie|credential/
/** Names of classes: they look like secrets and hold none (ADM-A5). */
const CLASS_NAMES = new Set(['credentialsourceclass', 'credentialsource'])

/** True for a field name under which people keep secrets. */
export function isSecretName(name: string): boolean {
  const plain = name.toLowerCase().replace(/[^a-z]/g, '')
  return SECRET_NAME.test(plain) && !CLASS_NAMES.has(plain)
}

/** What kind of credential a text holds in a well-known format, as words for a message; undefined if none. */
export const knownSecretFormat = (text: string): string | undefined => KNOWN_FORMATS.find(([, format]) => format.test(text))?.[0]

/**
 * What kind of secret a value looks like, or undefined. Digests written `sha256:<hex>` are not secrets. A harmless text
 * that is refused can be written otherwise; a key that is let through stands in git for good, so this errs on refusing.
 */
export function secretLikeValue(text: string): string | undefined {
  return knownSecretFormat(text) ?? (runsOf(text).some(looksRandom) ? 'a long random value' : undefined)
}

const runsOf = (text: string): string[] => text.replace(/\bsha(?:1|256|512):[0-9a-f]{40,128}\b/g, ' ').match(/[A-Za-z0-9+]{16,}/g) ?? []

/** Random text changes between letters of both cases and digits every few characters; words and model ids do not. */
function looksRandom(run: string): boolean {
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/].filter((kind) => kind.test(run)).length
  let changes = 0
  for (let index = 1; index < run.length; index += 1) if (kindOf(run.charCodeAt(index)) !== kindOf(run.charCodeAt(index - 1))) changes += 1
  const restless = changes >= run.length / 4
  return restless && (kinds === 3 || (/[0-9]/.test(run) && kinds === 2 && run.length >= 24))
}

const kindOf = (code: number): 'digit' | 'upper' | 'other' => (code >= 48 && code <= 57 ? 'digit' : code >= 65 && code <= 90 ? 'upper' : 'other')

/**
 * Every place in a document that looks like a secret, as sentences that name the field and never the value. A name
 * that is itself a secret is not repeated either.
 */
export function secretProblems(document: unknown): string[] {
  const problems: string[] = []
  const waiting: { readonly value: unknown; readonly path: string }[] = [{ value: document, path: '' }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, path } = next
    if (typeof value === 'string') {
      const kind = secretLikeValue(value)
      if (kind !== undefined) problems.push(`${path === '' ? 'the document' : `field ${path}`} holds what looks like ${kind}`)
    } else if (Array.isArray(value)) {
      value.forEach((member: unknown, index) => waiting.push({ value: member, path: `${path}[${index}]` }))
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) {
        const shown = printName(name)
        const inner = path === '' ? shown : `${path}.${shown}`
        if (secretLikeValue(name) !== undefined) problems.push(`field ${inner} is a name that looks like a secret`)
        else if (isSecretName(name)) problems.push(`field ${inner} has a name under which secrets are kept`)
        else waiting.push({ value: member, path: inner })
      }
    }
  }
  return problems.sort().slice(0, 20)
}

/** A field's name for a message: short, and blank if it looks like a secret. */
export const printName = (name: string): string => (secretLikeValue(name) !== undefined ? '(withheld)' : name.length > 60 ? `${name.slice(0, 60)}…` : name)
