import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** No inline script or style, nothing from elsewhere, no frame, and text never becomes HTML (CON-25). */
export const CONSOLE_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

const TYPES: Readonly<Record<string, string>> = { js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' }
const ASSET = /^[\w-]+(?:\.[\w-]+)*\.(js|css|svg)$/

/** What of the console is asked for, and with which cache. The page itself is asked for anew each time; the names of its parts change with their content. */
export interface ConsoleFile {
  readonly body: Buffer
  readonly contentType: string
  readonly cache: string
}

/** A file of the built console, or undefined: for a name that is none of its own, and where it was not built. */
export async function consoleFile(directory: string, asset: string | undefined): Promise<ConsoleFile | undefined> {
  if (asset === undefined) return fileAt(join(directory, 'index.html'), 'text/html; charset=utf-8', 'no-cache')
  const [, ending] = ASSET.exec(asset) ?? []
  const type = ending === undefined ? undefined : TYPES[ending]
  return type === undefined ? undefined : fileAt(join(directory, 'assets', asset), `${type}; charset=utf-8`, 'public, max-age=31536000, immutable')
}

async function fileAt(path: string, contentType: string, cache: string): Promise<ConsoleFile | undefined> {
  try {
    return { body: await readFile(path), contentType, cache }
  } catch {
    // Whatever keeps it from being read, there is nothing to show: the caller answers as for any unknown address.
    return undefined
  }
}
