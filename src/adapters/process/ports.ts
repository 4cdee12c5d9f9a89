/** A program to start in a process group of its own. Nothing is inherited: the environment is exactly `env`. */
export interface ProcessSpec {
  readonly argv: readonly [string, ...string[]]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly stdin: 'ignore' | 'pipe'
  /** How much of each stream is kept in memory: the first and the last bytes, bounded while it is read (ACC-47). */
  readonly keep: { readonly headBytes: number; readonly tailBytes: number }
  /** It and its descendants are to be ended also when we are killed, as far as they can be found then. */
  readonly endsWithUs?: true
  /** The leader only seals off what runs inside it, and ends when that does: a request to end goes to those inside. */
  readonly sealed?: true
  /** Also write each stream to a file, at most this many bytes of it. */
  readonly logs?: { readonly stdout: string; readonly stderr: string; readonly maxBytes: number }
  /** Sees every chunk of stdout as it comes; a throw is reported as a failed read, never lost. */
  onStdout?(chunk: Buffer): void
}

/** What is known of one output stream after the end. */
export interface StreamSummary {
  readonly head: Buffer
  readonly tail: Buffer
  readonly bytes: number
  /** SHA-256 over every byte, kept or not. */
  readonly sha256: string
  readonly truncated: boolean
  /** False if any part of the stream, kept or not, is no UTF-8. */
  readonly utf8: boolean
}

export interface ProcessExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: StreamSummary
  readonly stderr: StreamSummary
  /** True if, when the leader had exited, descendants still held the output open or were alive (ACC-45). */
  readonly leaked: boolean
  readonly durationMs: number
  /** What failed while the output was read (an observer threw, a log could not be written), or null. The output is then not to be relied on. */
  readonly readFailure: string | null
}

export interface RunningProcess {
  readonly pid: number
  /** Writes to stdin; resolves when the bytes were handed to the system, rejects if the pipe is closed. */
  write(text: string): Promise<void>
  closeStdin(): void
  /** Resolves once, when the leader has exited and its output is read (or its holders were ended). Never rejects. */
  readonly exited: Promise<ProcessExit>
  /** Asks the group to end, then kills the group and every descendant that left it; resolves when none is alive. */
  stop(graceMs: number): Promise<void>
}
