import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { MARKER_NAME } from './descendants.ts'

/**
 * Reads the marker and the group of a program, and then waits for the end of its input, which is the end of us, however it came:
 * nobody closes it before. Then it kills the group and whatever carries the marker. It says nothing and keeps nothing.
 */
const SCRIPT = `
IFS= read -r marker || exit 0
IFS= read -r group || group=
while IFS= read -r line; do :; done
for round in 1 2 3 4 5 6 7 8 9 10; do
  [ -z "$group" ] || kill -KILL -- "-$group" 2>/dev/null
  left=$(grep -lF "${MARKER_NAME}=$marker" /proc/[0-9]*/environ 2>/dev/null)
  [ -n "$left" ] || exit 0
  for file in $left; do pid=\${file#/proc/}; kill -KILL "\${pid%/environ}" 2>/dev/null; done
done`

/**
 * Stands ready to end a program and its descendants when we are killed and cannot do it ourselves (ISO-05). It is a process
 * and a session of its own, so that what ends us does not end it. Not held by it: a descendant that left the group and
 * cleared its environment; only a seal holds that.
 */
export class Watchdog {
  readonly #shell: ChildProcess

  private constructor(shell: ChildProcess) {
    this.#shell = shell
  }

  /** Before the program is started, so that no moment is left in which nobody would end it. Rejects if it cannot be started. */
  static async start(marker: string): Promise<Watchdog> {
    const shell = spawn('/bin/sh', ['-c', SCRIPT], { detached: true, env: { PATH: '/usr/bin:/bin' }, stdio: ['pipe', 'ignore', 'ignore'] })
    await once(shell, 'spawn')
    shell.on('error', () => undefined)
    // It may have been killed; a program must not fail for that.
    shell.stdin?.on('error', () => undefined)
    shell.stdin?.write(`${marker}\n`)
    shell.unref()
    return new Watchdog(shell)
  }

  /** Names the group of the started program. */
  guard(group: number): void {
    this.#shell.stdin?.write(`${group}\n`)
  }

  /** The program and all that came from it have ended. Killed, because at the end of its input it would do its work. */
  dismiss(): void {
    this.#shell.kill('SIGKILL')
    this.#shell.stdin?.destroy()
  }
}
