import type { AgentManifest } from '../../engine/agent.ts'
import { ACP_MANIFEST } from '../agent-cli/index.ts'

/** Qwen Code 0.24.4. The model that it names is the one that was asked for also after a fallback of its own. */
export const manifest: AgentManifest = ACP_MANIFEST
