import { Catalog } from './catalog.ts'
import type { ResolveRequest } from './resolve.ts'

/** A small catalog for the tests of this folder. Holds no test itself; named as one so that it is never built. */
export const sampleCatalog = (changes: Partial<Catalog> = {}): Catalog => Catalog.parse({ ...tables(), ...changes })

export const sampleProvider = () => ({
  dialect: 'openai-chat' as const,
  baseUrl: 'http://127.0.0.1:4010/v1',
  networkClass: 'loopback',
  credential: { source: 'none' as const, class: 'no-secret' },
  timeouts: { connect: '1s', firstByte: '10s', idle: '10s', total: '2m' },
})

export const sampleProfile = (model: string, purposes: string[] = ['ticket']) => ({
  agent: 'pi',
  agentVersion: '0.87.1',
  model,
  permissions: 'accept-edits' as const,
  purposes,
  isolation: 'env' as const,
  backgroundModels: 'refuse' as const,
  limits: { total: '2m', idle: '30s', calls: 50, tokens: 200_000 },
})

const tables = () => ({
  providers: { scripted: sampleProvider(), 'qwen-local': { ...sampleProvider(), networkClass: 'local-vllm' } },
  aliases: {
    'tool-use-capable': { requires: ['tools' as const], candidates: ['scripted/coder-1', 'qwen-local/qwen3.6-35b-a3b'], onUnhealthy: 'next-admitted' as const },
    indirect: { candidates: ['tool-use-capable'] },
  },
  profiles: {
    pi_scripted: sampleProfile('scripted/coder-1', ['ticket', 'baseline']),
    claude_opus_1m_medium: { ...sampleProfile('scripted/opus-4-8-20260101'), agent: 'claude', context: '1m', effort: 'medium' },
    by_alias: sampleProfile('tool-use-capable'),
    reviewer: sampleProfile('scripted/coder-1', ['review']),
  },
  purposes: {
    ticket: { needs: ['readiness' as const, 'acceptance' as const] },
    baseline: { needs: ['acceptance' as const] },
    review: { needs: ['acceptance' as const] },
    preflight: { needs: [], mayIgnorePurposeOfProfile: true as const },
  },
})

export const request = (changes: Partial<ResolveRequest> = {}): ResolveRequest => ({
  catalog: sampleCatalog(),
  override: null,
  profile: 'pi_scripted',
  purpose: 'ticket',
  candidate: 0,
  capability: null,
  ...changes,
})
