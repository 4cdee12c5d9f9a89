import * as z from 'zod'
import { Name, RunId } from '../../contract/ids.ts'
import { REASONS } from '../../contract/reasons.ts'
import { AGENT_PATHS } from '../../gates/readiness/index.ts'

/**
 * Where an agent stands. Only `online` may be given anything to do, and only while its proof is in force. `degraded`: it was
 * ready and does not answer now. `failed`: it is not the one that was meant; only a new generation leaves it.
 */
export const AGENT_STATES = ['provisioning', 'online', 'degraded', 'failed', 'draining', 'offline', 'removed'] as const
export type AgentState = (typeof AGENT_STATES)[number]

/** How far a generation came. Tells "never registered" from "registration refused" from "not ready" (RDY-27, RDY-36). */
export const AGENT_STAGES = ['provisioning', 'register', 'readiness', 'serving', 'ended'] as const
export type AgentStage = (typeof AGENT_STAGES)[number]

/** What may follow within one generation. The store enforces it a second time (law 4). */
export const AGENT_TRANSITIONS = {
  provisioning: ['online', 'failed', 'draining', 'offline', 'removed'],
  online: ['degraded', 'failed', 'draining', 'offline', 'removed'],
  degraded: ['online', 'failed', 'draining', 'offline', 'removed'],
  draining: ['failed', 'offline', 'removed'],
  failed: ['removed'],
  offline: ['removed'],
  removed: [],
} as const satisfies Readonly<Record<AgentState, readonly AgentState[]>>

/** Conditions, as Kubernetes words them. `Ready` sums up; the others say which part. */
export const CONDITION_TYPES = ['Registered', 'Identity', 'Model', 'Tools', 'Build', 'Reachable', 'Ready'] as const
export const AgentCondition = z.strictObject({
  type: z.enum(CONDITION_TYPES),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string().min(1).max(100),
  message: z.string().max(4_000),
  lastTransitionTime: z.iso.datetime(),
  observedGeneration: z.int().positive(),
})
export type AgentCondition = Readonly<z.infer<typeof AgentCondition>>

/** An agent as the store has it now. */
export const AgentRecord = z.strictObject({
  name: Name,
  deployment: Name,
  generation: z.int().positive(),
  runId: RunId,
  path: z.enum(AGENT_PATHS),
  state: z.enum(AGENT_STATES),
  stage: z.enum(AGENT_STAGES),
  reason: z.enum(REASONS).nullable(),
  message: z.string(),
  /** When the proof ends that keeps it online; null in every other state. */
  provenUntil: z.iso.datetime().nullable(),
  /** How often in a row it could not be reached. */
  failures: z.int().nonnegative(),
  heartbeatAt: z.iso.datetime().nullable(),
  changedAt: z.iso.datetime(),
})
export type AgentRecord = Readonly<z.infer<typeof AgentRecord>>

/** One step of an agent's history. The store itself writes it with every change, so that none can be left out (RDY-45). */
export const AgentStep = z.strictObject({
  position: z.int().positive(),
  name: Name,
  generation: z.int().positive(),
  runId: RunId,
  path: z.enum(AGENT_PATHS),
  from: z.enum(AGENT_STATES).nullable(),
  to: z.enum(AGENT_STATES),
  stage: z.enum(AGENT_STAGES),
  reason: z.enum(REASONS).nullable(),
  message: z.string(),
  at: z.iso.datetime(),
})
export type AgentStep = Readonly<z.infer<typeof AgentStep>>
