import { type WorkspaceChanges, workspaceChanges } from './changes.ts'
import type { GitOptions } from './git.ts'
import { applyPatch, copyWorkspace, type PrepareRequest, prepareWorkspace } from './prepare.ts'
import { workspaceDigest } from './tree.ts'

export { PATCH_BYTES, type WorkspaceChanges } from './changes.ts'
export type { GitOptions } from './git.ts'
export { copyWorkspace, type PrepareRequest } from './prepare.ts'
export { workspaceDigest } from './tree.ts'

export interface Workspaces {
  prepare(request: PrepareRequest): Promise<void>
  copy(from: string, to: string): Promise<void>
  applyPatch(workspace: string, patchFile: string): Promise<void>
  digest(workspace: string): Promise<string>
  changes(workspace: string): Promise<WorkspaceChanges>
}

/** Workspaces on this machine. `path` is where git is looked for; no call of git may take longer than `timeoutMs`. */
export function createWorkspaces(options: GitOptions): Workspaces {
  return {
    prepare: (request) => prepareWorkspace(options, request),
    copy: copyWorkspace,
    applyPatch: (workspace, patchFile) => applyPatch(options, workspace, patchFile),
    digest: workspaceDigest,
    changes: (workspace) => workspaceChanges(options, workspace),
  }
}
