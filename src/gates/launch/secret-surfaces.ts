/** What a launch hands to an agent, by surface. */
export interface LaunchSurfaces {
  readonly argv: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly files: readonly { readonly path: string; readonly content: string }[]
}

/**
 * The surfaces in which a secret was found: `argv`, `environment:NAME` or `file:path`. Never the value, never where in it.
 * The run token is no provider's credential and may stand in the environment; argv and files are readable by others and by tools.
 */
export function findSecretSurfaces(surfaces: LaunchSurfaces, secrets: readonly string[], runToken: string): string[] {
  const credentials = secrets.flatMap(spellingsOf)
  const everything = [...credentials, ...spellingsOf(runToken)]
  const holds = (text: string, needles: readonly string[]): boolean => needles.some((needle) => text.includes(needle))
  const found: string[] = []
  // Joined: a secret cut over two arguments is still readable by everybody who can list processes.
  if (holds(surfaces.argv.join(''), everything)) found.push('argv')
  for (const [name, value] of Object.entries(surfaces.environment)) {
    if (holds(value, credentials) || holds(name, credentials)) found.push(`environment:${holds(name, credentials) ? '(name withheld)' : name}`)
  }
  for (const { path, content } of surfaces.files) {
    if (holds(content, everything) || holds(path, everything)) found.push(`file:${holds(path, everything) ? '(path withheld)' : path}`)
  }
  return found
}

/** A secret as it is, and as programs commonly write it. An empty value is no credential and would be found everywhere. */
function spellingsOf(secret: string): string[] {
  if (secret === '') return []
  const bytes = Buffer.from(secret, 'utf8')
  const spellings = [secret, bytes.toString('hex'), encodeURIComponent(secret.toWellFormed()), JSON.stringify(secret).slice(1, -1)]
  // Base64 of a secret inside a longer text depends on where it begins, modulo 3; the characters that mix with neighbours are cut off.
  for (const offset of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64').replace(/=+$/, '')
    const whole = encoded.slice(offset === 0 ? 0 : offset + 1, (offset + bytes.length) % 3 === 0 ? undefined : -1)
    // Shorter than this it would be found by chance, and a secret that short is found as it is.
    if (whole.length >= 12) spellings.push(whole, whole.replaceAll('+', '-').replaceAll('/', '_'))
  }
  return [...new Set(spellings)]
}
