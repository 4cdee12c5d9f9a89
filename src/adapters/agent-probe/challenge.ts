import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { sha256 } from '../../contract/canonical.ts'
import { Digest } from '../../contract/verdict.ts'
import type { AgentQuestion, ChallengeFacts } from '../../gates/readiness/index.ts'
import type { GuardedClient } from '../outgoing/index.ts'
import { ask, jsonOf } from './ask.ts'

const Text = z.string().max(500)
const Material = z.strictObject({ sha256: Digest, proof: Digest.nullable() })

/** The data part with which an agent answers; docs/agents.md says how each field is made. */
export const ChallengeAnswer = z.strictObject({
  portcullis: z.literal('challenge-answer/v1'),
  run_id: Text,
  generation: z.int(),
  nonce: Text,
  persona: Material.nullable(),
  build: Material.nullable(),
  model: z.strictObject({ provider: Text.nullable(), model: Text.nullable() }).nullable(),
  mcp_servers: z.array(z.strictObject({ name: Text, url: z.string().max(2_000) })).max(100),
})

const Part = z.looseObject({ data: z.unknown().optional() })
const Message = z.looseObject({ parts: z.array(Part).max(1_000).default([]) })
const Task = z.looseObject({ status: z.looseObject({ message: Message.nullish() }).nullish(), artifacts: z.array(Message).max(1_000).nullish() })
const Reply = z.looseObject({ result: z.looseObject({ message: Message.nullish(), task: Task.nullish() }) })

/** Asks a running agent who it is, as an A2A message whose answer serves for this question only. */
export async function challenge(client: GuardedClient, endpoint: string, question: AgentQuestion): Promise<ChallengeFacts> {
  const { runId, generation, nonce, callModel, timeoutMs } = question
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: randomUUID(),
    method: 'SendMessage',
    params: {
      message: { messageId: randomUUID(), role: 'ROLE_USER', parts: [{ data: { portcullis: 'challenge/v1', run_id: runId, generation, nonce, call_model: callModel }, mediaType: 'application/json' }] },
      configuration: { acceptedOutputModes: ['application/json'], returnImmediately: false },
    },
  })
  const asked = await ask(client, endpoint, timeoutMs, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json', 'a2a-version': '1.0' }, body })
  if (asked.status === 'refused') return { status: 'failed', failure: 'error', found: `nothing was sent to ${asked.found}` }
  if (asked.status === 'failed') return asked
  const exchange = { nonce, requestSha256: sha256(body), responseSha256: sha256(asked.bytes) }
  const answer = answerIn(jsonOf(asked.bytes))
  if (answer === undefined) return { status: 'unanswered', ...exchange, found: 'it replied, and answered nothing of what was asked' }
  return {
    status: 'answered',
    ...exchange,
    bound: { runId: answer.run_id, generation: answer.generation, nonce: answer.nonce },
    persona: answer.persona,
    build: answer.build,
    claims: { model: answer.model?.model ?? null, provider: answer.model?.provider ?? null },
    servers: answer.mcp_servers,
  }
}

/** The one answer in a reply. Two of them would let an agent answer for two. */
function answerIn(document: unknown): z.infer<typeof ChallengeAnswer> | undefined {
  const reply = Reply.safeParse(document)
  if (!reply.success) return undefined
  const { message, task } = reply.data.result
  const messages = [message, task?.status?.message, ...(task?.artifacts ?? [])].filter((each) => each !== undefined && each !== null)
  const answers = messages.flatMap(({ parts }) => parts.flatMap(({ data }) => ChallengeAnswer.safeParse(data).data ?? []))
  return answers.length === 1 ? answers[0] : undefined
}
