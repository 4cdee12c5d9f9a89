import { isAbsolute } from 'node:path'
import type { Digests } from '../../contract/evidence.ts'
import { defineGate, type Finding, type Refusal } from '../../contract/gate.ts'
import { defineProof, type Proof } from '../../contract/proof.ts'
import { ISOLATION_LEVELS, type IsolationLevel } from '../catalog/index.ts'
import { LaunchEvidence, type LaunchFacts } from './launch-facts.ts'
import { type LaunchPlan, planDigest } from './launch-plan.ts'
import { liesInside, overlap } from './paths.ts'

/**
 * What an agent may have of our own environment. Everything else it is given is made for the run. A longer list is the
 * worse error: a variable too many can carry a credential or point at the user's own configuration.
 */
export const INHERITABLE_NAMES: readonly string[] = ['PATH', 'LANG', 'LANGUAGE', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TERM']

/** Gate 4: can the agent be started isolated, with no secret in its reach? */
export const launchGate = defineGate({
  name: 'launch',
  facts: LaunchEvidence,
  decide(facts, evidence) {
    const refusal = refusalOf(facts)
    if (refusal !== undefined) return { outcome: 'block', ...refusal, evidence }
    return facts.plan === null ? noPlan(facts, evidence) : pass(facts, facts.plan, evidence)
  },
})

export interface LaunchPermitContent {
  readonly plan: LaunchPlan
  readonly planDigest: string
  /** The level at which it is to be started: the one that was judged, and no other. */
  readonly isolation: IsolationLevel
}

/** The licence to start exactly what `plan` describes. */
export type LaunchPermit = Proof<'launch', LaunchPermitContent>

export const launchProof = defineProof(launchGate, ({ plan, isolation }): LaunchPermitContent => {
  // Cannot be reached: facts without a plan do not pass, and only passing facts become a proof.
  if (plan === null) throw new TypeError('A launch without a plan has no permit')
  return { plan, planDigest: planDigest(plan), isolation: isolation.reached }
})

function pass(facts: LaunchFacts, plan: LaunchPlan, evidence: Digests): Finding {
  return {
    outcome: 'pass',
    message: `${[plan.agent, plan.version.found].filter((part) => part !== '').join(' ')}, isolation ${facts.isolation.reached}`,
    evidence,
    expiresAt: new Date(Date.parse(facts.observedAt) + facts.validForMs),
  }
}

function noPlan(facts: LaunchFacts, evidence: Digests): Finding {
  return {
    outcome: 'block',
    reason: 'launch_plan_unsafe',
    message: 'There is no launch plan.',
    asked: 'a plan of the launch',
    found: 'neither a plan nor a refusal',
    remedy: `Report this: the adapter brought nothing back for ${facts.runDirectory}.`,
    evidence,
  }
}

/** The first thing that stands against the launch, in the order in which a user would have to put it right. */
function refusalOf(facts: LaunchFacts): Refusal | undefined {
  if (facts.refusal !== null) return facts.refusal
  const { plan } = facts
  if (plan === null) return undefined
  return versionRefusal(plan) ?? isolationRefusal(facts) ?? unsafePlan(facts, plan) ?? permissionRefusal(plan) ?? limitRefusal(facts)
}

function versionRefusal({ agent, version }: LaunchPlan): Refusal | undefined {
  if (version.required === null || version.required === version.found) return undefined
  return {
    reason: 'agent_version_mismatch',
    message: `The installed ${agent} is not the version that the profile names.`,
    asked: `${agent} ${version.required}`,
    found: version.found === '' ? `${agent} of an unknown version` : `${agent} ${version.found}`,
    remedy: `Install ${agent} ${version.required}, or have the other version reviewed and change agentVersion in the profile.`,
  }
}

const strength = (level: IsolationLevel): number => ISOLATION_LEVELS.indexOf(level)

function isolationRefusal({ isolation }: LaunchFacts): Refusal | undefined {
  if (strength(isolation.reached) >= strength(isolation.required)) return undefined
  return {
    reason: 'isolation_not_reached',
    message: `The profile requires isolation ${isolation.required}; only ${isolation.reached} is reached here.`,
    asked: `isolation ${isolation.required}`,
    found: [`isolation ${isolation.reached}`, ...(isolation.obstacle === null ? [] : [isolation.obstacle])].join(': '),
    remedy: `Run it where ${isolation.required} is available (npx portcullis doctor says what is missing here); a profile that requires less must be approved as such.`,
  }
}

function unsafePlan(facts: LaunchFacts, plan: LaunchPlan): Refusal | undefined {
  const dangers = [...misplaced(facts, plan), ...exposures(facts, plan)]
  if (dangers.length === 0) return undefined
  return {
    reason: 'launch_plan_unsafe',
    message: 'The launch would hand the agent what it must not have.',
    asked: `a launch of ${plan.agent} that stays inside ${facts.runDirectory} and holds no credential`,
    found: dangers.join('; '),
    remedy: 'Take the credential out of the profile and its command: only the wire needs it. Anything else here is a defect of the adapter.',
  }
}

/** Paths that would let the agent meet the user's own files, or its own settings meet the work. */
function misplaced({ runDirectory }: LaunchFacts, plan: LaunchPlan): string[] {
  const { home, configuration, temporary, workspace } = plan
  const dangers = Object.entries({ home, configuration, temporary, workspace })
    .filter(([, path]) => !liesInside(runDirectory, path))
    .map(([name, path]) => `${name} ${path} is outside the run directory`)
  for (const [name, path] of Object.entries({ home, configuration, temporary })) {
    if (overlap(workspace, path)) dangers.push(`${name} ${path} overlaps the workspace`)
  }
  for (const path of plan.readable) {
    // The other runs, and the evidence of all of them, lie around this one.
    const around = overlap(path, runDirectory) && !liesInside(runDirectory, path)
    if (!isAbsolute(path) || around) dangers.push(`readable ${path} would show the agent the runs`)
  }
  for (const { path } of plan.files) {
    if (![home, configuration, temporary].some((directory) => liesInside(directory, path))) dangers.push(`file ${path} is outside home, configuration and temporary`)
  }
  return dangers
}

function exposures(facts: LaunchFacts, plan: LaunchPlan): string[] {
  const dangers = facts.secretsFound.map((surface) => `a credential in ${surface}`)
  for (const name of facts.inheritedNames) {
    if (!INHERITABLE_NAMES.includes(name)) dangers.push(`variable ${name} inherited from our own environment`)
    else if (!plan.environmentNames.includes(name)) dangers.push(`variable ${name} is not in the plan`)
  }
  return dangers
}

function permissionRefusal({ agent, permissions }: LaunchPlan): Refusal | undefined {
  if (permissions.enforcedBy !== null) return undefined
  return {
    reason: 'permission_mode_unsupported',
    message: `Nothing can hold ${agent} to permission mode ${permissions.mode}.`,
    asked: `permissions: ${permissions.mode}`,
    found: `${agent} has no way to enforce it when it runs unattended`,
    remedy: 'Choose a mode that this agent can be held to; `bypass` says openly that nothing is asked.',
  }
}

function limitRefusal({ limits }: LaunchFacts): Refusal | undefined {
  if (limits.unenforceable.length === 0) return undefined
  return {
    reason: 'limit_not_enforceable',
    message: 'A limit of the profile cannot be enforced.',
    asked: 'the limits of the profile',
    found: limits.unenforceable.join('; '),
    remedy: 'Give what the limit needs (a price for the model, for a limit on cost), or take the limit out of the profile.',
  }
}
