import type { AgentManifest } from '../../engine/agent.ts'
import { ACP_MANIFEST } from '../agent-cli/index.ts'

/** Gemini CLI 0.61.0. */
export const manifest: AgentManifest = ACP_MANIFEST
