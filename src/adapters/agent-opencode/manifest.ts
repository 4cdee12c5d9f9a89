import type { AgentManifest } from '../../engine/agent.ts'
import { ACP_MANIFEST } from '../agent-cli/index.ts'

/** opencode 1.18.33. */
export const manifest: AgentManifest = ACP_MANIFEST
