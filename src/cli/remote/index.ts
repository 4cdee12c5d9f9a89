import { lstatSync, readFileSync } from 'node:fs'
import { resolve as resolvePath } from 'node:path'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import { type Ask, ServerClient } from './client.ts'
import { RemoteApp } from './remote-app.ts'

/** Where the token for a server comes from. It never stands in an argument: those are seen by everybody on the machine. */
export interface ServerPlace {
  readonly address: string
  readonly tokenFile: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

export const TOKEN_VARIABLE = 'PORTCULLIS_TOKEN'

export function openRemote(place: ServerPlace): RemoteApp {
  const socket = /^unix:(?:\/\/)?(\/.+)$/.exec(place.address)?.[1]
  const client = socket === undefined ? new ServerClient(addressOf(place.address), tokenOf(place)) : new ServerClient(SOCKET_ADDRESS, tokenOf(place), overSocket(ownSocket(socket)))
  return new RemoteApp(client, place.cwd)
}

/** What is asked over a socket names the machine that it is on; no name leads there. */
const SOCKET_ADDRESS = new URL('http://localhost')

/** Whoever listens there is given the token, so it must be somebody who could read it anyway. */
function ownSocket(path: string): string {
  const status = lstatSync(path, { throwIfNoEntry: false })
  const found = status === undefined ? 'nothing there' : !status.isSocket() ? 'something that is no socket' : status.uid !== process.getuid?.() && status.uid !== 0 ? 'a socket of somebody else' : undefined
  if (found === undefined) return path
  throw new PortcullisError('usage', { asked: `a server on the Unix socket ${path}`, found, remedy: 'See that npx portcullis serve --socket runs there, as the same user.' })
}

/** Loaded only where a socket is named: most servers are asked by the fetch that is there already. */
function overSocket(path: string): Ask {
  let opened: Promise<Ask> | undefined
  return async (url, init) => {
    const ask = await (opened ??= import('./over-socket.ts').then(({ askOverSocket }) => askOverSocket(path)))
    return ask(url, init)
  }
}

function addressOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isLoopback = url !== undefined && /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname)
  // Without TLS the token would be read by everybody between here and there.
  if (url !== undefined && url.username === '' && url.password === '' && url.search === '' && url.hash === '' && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback))) return url
  throw new PortcullisError('usage', { asked: 'the address of a server: https, or http on loopback, without user or query', found: 'another --server or PORTCULLIS_SERVER', remedy: 'Write it as in http://127.0.0.1:4030, or unix:/srv/gate/api.sock for a socket.' })
}

function tokenOf({ tokenFile, environment, cwd }: ServerPlace): string {
  const token = tokenFile === undefined ? environment[TOKEN_VARIABLE] : readToken(resolvePath(cwd, tokenFile))
  if (token !== undefined && /^\S+$/.test(token)) return token
  throw new PortcullisError('usage', { asked: 'a token for the server', found: tokenFile === undefined ? `no ${TOKEN_VARIABLE} in the environment and no --token-file` : 'a file that holds no token', remedy: `Give --token-file <file>, or put the token into ${TOKEN_VARIABLE}. npx portcullis tokens create makes one.` })
}

function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new PortcullisError(systemCode(error) === 'ENOENT' ? 'file_missing' : 'file_unreadable', { asked: `the token in ${path}`, found: systemCode(error) ?? 'an error', remedy: 'Name a file that holds the token alone.', cause: error })
  }
}
