import { createHash } from 'node:crypto'
import { sha256 } from '../contract/canonical.ts'
import type { PlannedLaunch } from '../gates/launch/index.ts'
import type { ScannedSurface, ScanScope, SecretScanner } from '../gates/report/index.ts'
import { AGENT_AREAS, type AgentArea, type LeftFile, type RunDirectory } from './run-directory.ts'
import type { World } from './world.ts'

/** A text of the run that is scanned and not kept; `content` is undefined where it could not be read whole. */
export interface ScannedText {
  readonly name: string
  readonly content: Buffer | undefined
}

type Scanning = Pick<World, 'scanner' | 'clock'>

/** A scan that takes longer than this is late: at first, and for each byte (SEC-05, with room for a busy machine). */
const LATE_AFTER_MS = 10_000
const LATE_MS_FOR_BYTE = 250 / 100_000
/** What an agent may leave in one of its own directories and still be looked into. */
const MOST_LEFT_BYTES = 1_073_741_824
/** Of files that hold a credential, so many are named. */
const MOST_NAMED = 20

/** Scans one text as a whole. A scanner that fails or is late has found nothing out: the gate blocks on it (SEC-07). Its error may quote what it read. */
export function scanSurface(world: Scanning, name: string, content: Buffer | undefined): ScannedSurface {
  const common = { name, bytes: content?.length ?? 0, sha256: sha256(content ?? '') }
  if (content === undefined) return { ...common, scanned: false, findings: [] }
  try {
    const startedAt = world.clock().getTime()
    const findings = world.scanner.scan(content).map(({ rule, offset, hash }) => ({ rule, offset, hash }))
    return { ...common, scanned: !isLate(world, startedAt, content.length), findings }
  } catch {
    return { ...common, scanned: false, findings: [] }
  }
}

const isLate = (world: Scanning, startedAt: number, bytes: number): boolean => world.clock().getTime() - startedAt > LATE_AFTER_MS + bytes * LATE_MS_FOR_BYTE

export const areaSurface = (area: AgentArea): string => `agent/${area}`

/**
 * Scans what the agent left in its own directories, which are gone after the run: a credential there is one that the agent
 * had. Its settings are searched for everything; its home is full of packages and their examples, and is searched for what
 * we know. One surface for each directory, and one for each file with a finding.
 */
export function scanLeftovers(world: Scanning, directory: Pick<RunDirectory, 'leftByAgent'>): readonly ScannedSurface[] {
  return AGENT_AREAS.flatMap((area) => {
    const named: ScannedSurface[] = []
    const digest = createHash('sha256')
    const startedAt = world.clock().getTime()
    let bytes = 0
    const all = (scanned: boolean): ScannedSurface => ({ name: areaSurface(area), bytes, sha256: digest.copy().digest('hex'), scanned, findings: [] })
    try {
      for (const file of directory.leftByAgent(area)) {
        bytes += file.bytes
        if (bytes > MOST_LEFT_BYTES) return [...named, all(false)]
        const surface = scanFile(world, area, file)
        digest.update(`${surface.name}\0${surface.sha256}\n`)
        if (!surface.scanned) return [...named, all(false)]
        if (surface.findings.length > 0 && named.length < MOST_NAMED) named.push(surface)
      }
      return [...named, all(!isLate(world, startedAt, bytes))]
    } catch {
      // As above: what was found so far stands, and the directory counts as not looked into.
      return [...named, all(false)]
    }
  })
}

function scanFile(world: Scanning, area: AgentArea, file: LeftFile): ScannedSurface {
  const scope: ScanScope = area === 'configuration' ? 'everything' : 'known-values'
  const content = world.scanner.open(scope)
  const name = world.scanner.open(scope)
  const digest = createHash('sha256')
  let read = 0
  name.write(Buffer.from(file.name))
  for (const chunk of file.chunks()) {
    read += chunk.length
    digest.update(chunk)
    content.write(chunk)
  }
  const inName = name.end().map(({ rule, offset, hash }) => ({ rule: `${rule} in its name`, offset, hash }))
  const findings = [...inName, ...content.end().map(({ rule, offset, hash }) => ({ rule, offset, hash }))]
  const shown = world.scanner.redact(file.name).slice(0, 500).toWellFormed()
  // A file that is not as long as it was said to be was not read to its end.
  return { name: `${areaSurface(area)}/${shown}`, bytes: read, sha256: digest.digest('hex'), scanned: read === file.bytes, findings }
}

/**
 * The surfaces of a launch that hold a credential, by the names that the launch gate shows: `argv`, `environment:NAME`,
 * `file:path`. What only has the form of one is looked for in what is written down; the environment holds the run token.
 */
export function scanLaunch(scanner: SecretScanner, { argv, environment, files }: PlannedLaunch): readonly string[] {
  const holds = (text: string, scope: ScanScope): boolean => {
    const scan = scanner.open(scope)
    scan.write(Buffer.from(text))
    return scan.end().length > 0
  }
  const found: string[] = []
  // As the arguments are listed, and as they read without what is between them.
  if (holds(argv.join('\n'), 'everything') || holds(argv.join(' '), 'everything')) found.push('argv')
  for (const [name, value] of Object.entries(environment)) if (holds(value, 'known-values')) found.push(`environment:${scanner.redact(name)}`)
  for (const { path, content } of files) if (holds(path, 'everything') || holds(content, 'everything')) found.push(`file:${scanner.redact(path)}`)
  return found
}
