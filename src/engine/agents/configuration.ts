import * as z from 'zod'
import { Name } from '../../contract/ids.ts'
import { Duration } from '../../contract/units.ts'
import { Digest } from '../../contract/verdict.ts'
import { isExactAddress, isNetwork, judgeProviderUrl } from '../../gates/catalog/index.ts'

/** Bytes that the agent must have loaded: as a file here, so that it has to show that it holds them, or as their digest alone. */
export const Material = z
  .union([
    z.strictObject({ file: z.string().min(1).max(1_000).describe('Relative to this file. The agent must then prove that it holds the bytes, not only their digest.') }),
    z.strictObject({ sha256: Digest.describe('The digest alone, where the bytes are not here. It says less: who knows the digest can repeat it.') }),
  ])
  .describe('What the agent must have loaded.')
export type Material = z.infer<typeof Material>

/** Where requests to an agent may go beside public addresses: exact places, never a mode. */
export const AgentAddresses = z
  .strictObject({
    addresses: z.array(z.string().refine(isExactAddress, 'expected an IP address and a port, as in 127.0.0.1:4101')).max(100).optional().describe('Exact addresses of agents and tool servers on this machine or in a private network, as in 127.0.0.1:4101.'),
    networks: z.array(z.string().refine(isNetwork, 'expected a network, as in 10.20.0.0/16')).max(100).optional().describe('Private networks in which they may be, as in 10.20.0.0/16. Metadata, link-local and loopback addresses stay closed.'),
  })
  .describe('Addresses that are not public and may be called for this agent. Left out, none.')
export type AgentAddresses = z.infer<typeof AgentAddresses>

/** An address that requests go to. */
export const Place = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .refine((text) => URL.parse(text)?.username === '' && URL.parse(text)?.password === '', 'expected an address without user or password')

/** A server of tools that the agent must be connected to. */
export const RequiredServer = z.strictObject({
  url: Place.optional().describe('Where it is. Left out, the agent says which one it uses, and that one is asked.'),
  tools: z.array(z.string().min(1).max(200)).min(1).max(500).describe('Tools that it must offer.'),
})

export const Provisioner = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('process').describe('Started by Portcullis, by the command of its profile, through the launch gate.'),
      seed: z.string().min(1).max(1_000).optional().describe('A directory, relative to this file, whose files the agent is started with. The same for every start.'),
      autoRestarts: z.int().min(0).max(100).describe('How often in a row it is started again by itself after it ended. Each start is a new generation, which has to prove itself.'),
    }),
    z.strictObject({
      kind: z.literal('external').describe('Started by somebody else.'),
      mode: z.enum(['push', 'pull']).describe('push: it registers by itself, with its card. pull: its card is fetched from cardUrl.'),
    }),
  ])
  .describe('Who starts the agent.')

/** One long-lived agent, and who it must prove to be before it is given anything to do. Nothing of it has a default. */
export const AgentDefinition = z
  .strictObject({
    deployment: Name.describe('The roll-out that it belongs to. Agents are counted by it.'),
    profile: Name.describe('The profile that says which model it must be served by, and what one generation of it may use; limits.total is how long that one may live.'),
    purpose: Name.describe('What it is used for, as its profile must allow.'),
    expects: z
      .strictObject({
        name: z.string().min(1).max(200).describe('The name on its card.'),
        version: z.string().min(1).max(200).describe('The version on its card.'),
        persona: Material.describe('The persona it must have loaded.'),
        build: Material.describe('The program that must be running.'),
        mcpServers: z.record(Name, RequiredServer).describe('The tool servers it must be connected to, by the names it has for them.'),
      })
      .describe('Who it must prove to be.'),
    provisioner: Provisioner,
    cardUrl: Place.describe('Where its card is, as in http://127.0.0.1:4101/.well-known/agent-card.json.'),
    allow: AgentAddresses.optional(),
    startup: Duration.describe('How long it may take from its start until it has proven who it is.'),
    answer: Duration.describe('How long one question to it may take.'),
    recheck: Duration.describe('Within what time it is noticed that it lost anything but its model: it is asked again a little more often.'),
    reprove: Duration.describe('How often it must prove everything again.'),
    validFor: Duration.describe('How long a proof counts. Longer than reprove, or the agent is out of reach between two.'),
  })
  .describe('A long-lived agent. It is given nothing to do until it has proven who it is.')
export type AgentDefinition = z.infer<typeof AgentDefinition>

export const AgentDefinitions = z.record(Name, AgentDefinition)

/** Where requests for an agent may go. */
export const permissionOf = ({ allow }: Pick<AgentDefinition, 'allow'>) => ({ addresses: allow?.addresses ?? [], networks: allow?.networks ?? [] })

/** Why the address of a card may not be asked for, or undefined; what a name resolves to is judged when it is asked. */
export function cardUrlProblem(definition: Pick<AgentDefinition, 'allow' | 'cardUrl'>): string | undefined {
  const judged = judgeProviderUrl(definition.cardUrl, permissionOf(definition))
  return judged.ok ? undefined : judged.found
}
