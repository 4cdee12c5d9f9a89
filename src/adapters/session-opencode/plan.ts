import { randomBytes } from 'node:crypto'
import type { Refusal } from '../../contract/gate.ts'
import type { SessionRequest } from '../../engine/sessions/runtime.ts'
import { opencodeFiles, opencodeSettings, TOKEN_VARIABLE } from '../agent-opencode/index.ts'
import type { LiveLaunch } from '../session-common/index.ts'

/** Opens the server of the session: without it any program of the machine could speak to it. */
export const PASSWORD_VARIABLE = 'OPENCODE_SERVER_PASSWORD'
const PASSWORD_BYTES = 32
const COMPLETION_VARIABLE = 'PORTCULLIS_COMPLETION_TOKEN'
const SERVER = 'portcullis'

const READING = { read: 'allow', glob: 'allow', grep: 'allow', list: 'allow', lsp: 'allow' } as const
/** A question of its own would be answered by nobody; the tools of our server end the turn. */
const ALWAYS = { question: 'deny', [`${SERVER}_*`]: 'allow' } as const
const PERMISSIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'read-only': { '*': 'deny', ...READING, ...ALWAYS },
  ask: { '*': 'ask', ...READING, ...ALWAYS },
  'accept-edits': { '*': 'deny', ...READING, edit: 'allow', todowrite: 'allow', external_directory: 'deny', ...ALWAYS },
  bypass: { '*': 'allow', ...ALWAYS },
}

export const OPENCODE: LiveLaunch = {
  title: 'opencode',
  dialects: ['openai-chat'],
  efforts: [],
  modes: {
    'read-only': { argv: [], enforcedBy: 'permissions of opencode: read, glob, grep and list only, everything else is denied' },
    ask: { argv: [], enforcedBy: 'permissions of opencode: reading is allowed; everything else waits until the session is answered' },
    'accept-edits': { argv: [], enforcedBy: 'permissions of opencode: reading and editing in the workspace, everything else is denied, the shell included' },
    bypass: { argv: [], enforcedBy: 'nothing is asked or refused: every tool runs, the shell included' },
  },
  rewrites: () => false,
  launch: (request) => ({
    argv: ['serve', '--hostname', '127.0.0.1', '--port', '0'],
    environment: {
      [TOKEN_VARIABLE]: request.runToken,
      [PASSWORD_VARIABLE]: randomBytes(PASSWORD_BYTES).toString('base64url'),
      ...(request.completion === undefined ? {} : { [COMPLETION_VARIABLE]: request.completion.token }),
    },
    settings: opencodeSettings(request),
    files: opencodeFiles(request, { permission: PERMISSIONS[request.profile.permissions] ?? { '*': 'deny' }, ...serverOf(request) }),
  }),
}

/** The file names the variable; the token stands in the environment alone. */
const serverOf = ({ completion }: SessionRequest): object =>
  completion === undefined ? {} : { mcp: { [SERVER]: { type: 'remote', url: completion.url, enabled: true, oauth: false, headers: { Authorization: `Bearer {env:${COMPLETION_VARIABLE}}` } } } }

/** Its server listens inside its own network then, where nobody reaches it, we included. */
export const sealedRefusal = ({ profile, profileName }: SessionRequest): Refusal | undefined =>
  profile.isolation === 'network'
    ? { reason: 'agent_setting_unsupported', message: 'A session of opencode cannot be sealed off from the network.', asked: `profile ${profileName}: isolation network`, found: 'it is spoken to over HTTP, and inside the seal its server cannot be reached', remedy: 'Choose isolation fs for its sessions, or a session of another agent.' }
    : undefined
