import type { Workspaces } from '../../engine/index.ts'
import { workspaceChanges } from './changes.ts'
import type { GitOptions } from './git.ts'
import { applyPatch, copyWorkspace, prepareWorkspace } from './prepare.ts'
import { changedBelow, workspaceDigest } from './tree.ts'

export { PATCH_BYTES } from './changes.ts'
export { type GitCall, type GitOptions, lastLine, reaching, tryGit } from './git.ts'
export { headCommit } from './head-commit.ts'
export { copyWorkspace } from './prepare.ts'
export { workspaceDigest } from './tree.ts'

/** Workspaces on this machine. `path` is where git is looked for; no call of git may take longer than `timeoutMs`. */
export function createWorkspaces(options: GitOptions): Workspaces {
  return {
    prepare: (request) => prepareWorkspace(options, request),
    copy: copyWorkspace,
    applyPatch: (workspace, patch) => applyPatch(options, workspace, patch),
    digest: workspaceDigest,
    changedBelow,
    changes: (workspace, untouched) => workspaceChanges(options, workspace, untouched),
  }
}
