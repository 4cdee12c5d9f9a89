import * as z from 'zod'
import { digestOf } from '../../contract/canonical.ts'
import { Name } from '../../contract/ids.ts'
import { Dialect, ModelPair } from '../../contract/model.ts'
import { Digest } from '../../contract/verdict.ts'
import { PERMISSION_MODES } from '../catalog/index.ts'
import { Bounds } from './bounds.ts'

const Text = z.string().max(8_192)
const Path = z.string().min(1).max(4_096)

export const FileDigest = z.strictObject({ path: Path, sha256: Digest })
export type FileDigest = Readonly<z.infer<typeof FileDigest>>

/**
 * How the file that the kernel runs is recognised: `sha256:<hex>` of its content, or `inode:<...>` for the very
 * interpreter that Portcullis itself runs on: who can replace that file can replace us, and its 120 MB take a second to read.
 */
export const ExecutableIdentity = z.string().regex(/^(sha256:[0-9a-f]{64}|inode:[0-9a-f:.-]+)$/, 'expected sha256:<hex> or inode:<identity>')

/**
 * Everything that is decided about a launch before it happens. It is stored as evidence and judged again later, so it
 * holds no secret: of the environment it shows names, settings that are no secret, and one digest over all of it.
 */
export const LaunchPlan = z.strictObject({
  agent: Name,
  version: z.strictObject({ required: Text.nullable(), found: Text }),
  /** What the agent is: its program or script. */
  program: FileDigest,
  /** The folder that `program.sha256` covers, for a program that is more than one file; null for a single file. */
  programFolder: Path.nullable(),
  /** Further files that the argv names and that make the program what it is. */
  programFiles: z.array(FileDigest).max(100),
  /** The file that the kernel runs: the program itself, or the interpreter of it. */
  executable: z.strictObject({ path: Path, identity: ExecutableIdentity }),
  argv: z.array(Text).min(1).max(1_000),
  environmentNames: z.array(z.string().min(1).max(256)).max(200),
  /** Variables whose value the adapter itself fixes (telemetry off and the like), shown because none of them is a secret. */
  environmentSettings: z.record(z.string().min(1).max(256), z.string().max(1_024)),
  /** Digest of the whole environment with its values: a launch that points the agent at another address is another launch. */
  environmentDigest: Digest,
  home: Path,
  configuration: Path,
  /** Also the directory the agent is started in (MC-132). */
  workspace: Path,
  temporary: Path,
  /** What a sealed agent may read of the machine, beside the system and the files named above: folders of its own code, and what its profile grants. */
  readable: z.array(Path).max(100),
  /** Files that must stand, with these bytes, before the agent starts. */
  files: z.array(FileDigest).max(100),
  /** `enforcedBy` says what holds the agent to the mode, and how far; null when nothing does. */
  permissions: z.strictObject({ mode: z.enum(PERMISSION_MODES), enforcedBy: z.string().min(1).max(1_024).nullable() }),
  dialect: Dialect,
  model: ModelPair,
  effort: z.string().min(1).max(100).nullable(),
  context: z.string().min(1).max(100).nullable(),
  /** What it may take of the machine; left out where its profile names no such limit. */
  bounds: Bounds.optional(),
})
export type LaunchPlan = Readonly<z.infer<typeof LaunchPlan>>

/** What a permit, a readiness check and a turn refer to. */
export const planDigest = (plan: LaunchPlan): Digest => digestOf(plan)
