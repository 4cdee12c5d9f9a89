import type { AgentManifest } from '../../engine/agent.ts'
import { ACP_MANIFEST } from '../agent-cli/index.ts'

/** Any program that speaks the protocol: no more is known of it. */
export const manifest: AgentManifest = ACP_MANIFEST
