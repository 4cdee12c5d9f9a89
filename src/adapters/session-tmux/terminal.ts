import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Refusal } from '../../contract/gate.ts'
import type { SessionRequest } from '../../engine/sessions/runtime.ts'
import type { Surrounded } from '../session-common/index.ts'

/** The largest part of what the terminal showed that is kept. */
export const RAW_BYTES = 1_048_576
/** The system takes no longer path of a socket. */
const SOCKET_PATH_BYTES = 100
/** An Enter right after a paste is taken as a part of it by every agent that was measured; 100 ms were enough for all, on an idle machine. */
export const PASTE_PAUSE_MS = 500
/** So long after an Enter nothing was heard, it was lost: Claude Code says that it has begun before it draws the line that it reads from. */
export const ENTER_AGAIN_MS = 500

const KNOCK_PAUSE_MS = 20

const PANE = 'agent'

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

export const placesOf = ({ temporary, configuration }: Pick<SessionRequest, 'temporary' | 'configuration'>): { readonly socket: string; readonly hooks: string; readonly raw: string; readonly configuration: string; readonly launcher: string } => ({
  socket: join(temporary, 't'),
  hooks: join(temporary, 'h'),
  raw: join(temporary, 'terminal.raw'),
  configuration: join(configuration, 'tmux.conf'),
  launcher: join(configuration, 'agent.sh'),
})

/**
 * A tmux server of the session's own, in the foreground: it is the process that is planned, and ends with the agent. What it
 * starts stands in a planned file, so that the launch that is judged is the whole of it.
 */
export function terminalAround(tmux: string, size: TerminalSize, request: SessionRequest, command: readonly string[]): Surrounded {
  const places = placesOf(request)
  const odd = [request.workspace, ...Object.values(places)].find((path) => !/^[\w./@+-]+$/.test(path))
  if (odd !== undefined) return { ok: false, refusal: pathRefusal(odd, 'a path with characters that tmux reads as its own') }
  const long = [places.socket, places.hooks].find((path) => Buffer.byteLength(path) > SOCKET_PATH_BYTES)
  if (long !== undefined) return { ok: false, refusal: pathRefusal(long, `a path of more than ${SOCKET_PATH_BYTES} bytes, which no socket can have`) }
  const settings = [
    'set -g exit-empty on', // With the agent gone there is no terminal that looks alive.
    'set -g remain-on-exit off',
    'set -g status off',
    'set -s set-clipboard off',
    'set -g default-terminal "screen-256color"',
    `new-session -d -s ${PANE} -x ${size.columns} -y ${size.rows} -c ${request.workspace} /bin/sh ${places.launcher}`,
    // A limit of the system on the file: who fills it loses the rest of the recording and nothing else.
    `pipe-pane -t ${PANE} 'ulimit -f ${RAW_BYTES / 512} && exec cat > ${places.raw}'`,
  ]
  return {
    ok: true,
    executable: tmux,
    argv: [tmux, '-D', '-S', places.socket, '-f', places.configuration],
    files: [
      { path: places.configuration, content: `${settings.join('\n')}\n` },
      { path: places.launcher, content: `exec ${command.map(quoted).join(' ')}\n` },
    ],
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

const pathRefusal = (path: string, found: string): Refusal => ({
  reason: 'agent_setting_unsupported',
  message: 'A session in a terminal cannot be started in this place.',
  asked: path,
  found,
  remedy: 'Choose a state directory with a shorter, plainer path.',
})

/**
 * Knocks at the server until it answers: it reads its configuration when the first client comes, and so starts the agent. Gives up
 * when the signal aborts.
 */
export async function wake(tmux: string, socket: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const code = await codeOf(tmux, socket, ['-N', 'has-session', '-t', PANE], '')
    if (code === 0) return
    await wait(KNOCK_PAUSE_MS)
  }
}

/** Everything that a terminal could take for a key or for the end of the paste; lines and tabs are text. */
const KEYS = /[^\P{Cc}\t\n]/u
/** By these the agent takes what follows for a command of its own or of the shell, and no hook for prompts hears of it. */
const COMMANDS = ['!', '/', '#']

/** Why a text may not be typed into a terminal; undefined if it may. */
export function pasteProblem(text: string): string | undefined {
  if (KEYS.test(text)) return 'it holds control characters, which a terminal takes for keys'
  const first = text.trimStart().charAt(0)
  return COMMANDS.includes(first) ? `it begins with ${first}, which the agent takes for a command` : undefined
}

/** Pastes a text into the agent's terminal, as one paste, without the Enter that would send it. Throws if tmux does not take it. */
export async function paste(tmux: string, socket: string, text: string): Promise<void> {
  const problem = pasteProblem(text)
  if (problem !== undefined) throw new Error(`a text that is not typed: ${problem}`)
  await ask(tmux, socket, ['load-buffer', '-b', 'message', '-'], text)
  await ask(tmux, socket, ['paste-buffer', '-p', '-d', '-r', '-b', 'message', '-t', PANE], '')
}

export const pressEnter = (tmux: string, socket: string): Promise<void> => ask(tmux, socket, ['send-keys', '-t', PANE, 'Enter'], '')

async function ask(tmux: string, socket: string, argv: readonly string[], input: string): Promise<void> {
  const code = await codeOf(tmux, socket, argv, input)
  if (code !== 0) throw new Error(`tmux did not take ${argv[0] ?? 'a command'}`)
}

async function codeOf(tmux: string, socket: string, argv: readonly string[], input: string): Promise<number | null> {
  const client = spawn(tmux, ['-S', socket, ...argv], { stdio: ['pipe', 'ignore', 'ignore'], env: { PATH: '/usr/bin:/bin' } })
  client.stdin.on('error', () => undefined) // It ends with another code then, which is what counts.
  const ended = new Promise<number | null>((resolve, reject) => client.once('exit', resolve).once('error', reject))
  client.stdin.end(input)
  return await ended
}
