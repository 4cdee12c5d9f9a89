export interface StoredFile {
  readonly name: string
  readonly bytes: number
  readonly sha256: string
}

/** The directories of the run that are the agent's own. */
export const AGENT_AREAS = ['configuration', 'home', 'temporary'] as const
export type AgentArea = (typeof AGENT_AREAS)[number]

export interface LeftFile {
  /** Its path in that directory. */
  readonly name: string
  readonly bytes: number
  /** Its content, a piece at a time. A piece may be overwritten when the next one is asked for. Throws `file_unreadable`. */
  chunks(): Iterable<Uint8Array>
}

/** Where a run keeps its files. Names given to `read` and `write` are relative to the directory. */
export interface RunDirectory {
  readonly path: string
  /** The copy the agent works on. */
  readonly workspace: string
  /** The copy nobody works on: what the probes must fail on. */
  readonly untouched: string
  /** The copy of the fake backend, which does nothing with it. */
  readonly fake: string
  /** The copy with the reference solution. */
  readonly reference: string
  readonly home: string
  readonly configuration: string
  readonly temporary: string
  /** Raw output until it has been scanned; nothing here survives the run. */
  readonly staging: string
  /** Undefined if there is no such file. */
  read(name: string): Buffer | undefined
  /** Durable when it returns. */
  write(name: string, content: string | Buffer): void
  files(): readonly StoredFile[]
  /** All that the agent left in one of its own directories. Of a link, its target is the content; a directory has a name alone. */
  leftByAgent(area: AgentArea): Iterable<LeftFile>
  /** What serves the run and is of no use after it. With `waiting`, what its completion needs stays: the untouched copy and what was kept. */
  dropScratch(waiting?: 'waiting'): void
  /** Copies that a completion makes anew, and half-written files of one that was interrupted. */
  dropAttempt(): void
  remove(name: string): void
}
