import { parsePair } from '../../contract/model.ts'
import { type AgentDefinition, cardUrlProblem } from '../../engine/agents/configuration.ts'
import type { Configuration } from '../../engine/configuration.ts'
import { milliseconds } from '../../contract/units.ts'
import { printName } from '../../contract/secret-like.ts'
import { entryOf, type Profile } from '../../gates/catalog/index.ts'
import { type Problem, problemAt, suggest } from './problem.ts'

/**
 * What one schema cannot say: names that must be defined elsewhere in the file. Where an alias leads is not judged here
 * but by the catalog gate, for each resolution, with the override of that moment.
 */
export function crossChecks(configuration: Configuration): Problem[] {
  const { networkClasses, profiles, providers, taskClasses, probes } = configuration
  return [
    ...Object.entries(providers).flatMap(([name, { networkClass }]) =>
      networkClasses === undefined || entryOf(networkClasses, networkClass) !== undefined ? [] : [undefinedName(['providers', name, 'networkClass'], 'network class', networkClass, Object.keys(networkClasses))],
    ),
    ...Object.entries(profiles).flatMap(([name, profile]) => profileProblems(['profiles', name], profile, configuration)),
    ...reviewProblems(configuration),
    ...Object.entries(configuration.agents ?? {}).flatMap(([name, agent]) => longLivedProblems(['agents', name], agent, configuration)),
    ...Object.entries(taskClasses).flatMap(([name, taskClass]) => [
      ...taskClass.probes.flatMap((probe, index) => (entryOf(probes, probe) === undefined ? [undefinedName(['taskClasses', name, 'probes', index], 'probe', probe, Object.keys(probes))] : [])),
      ...(taskClass.completion === 'product' && taskClass.probes.length === 0 ? [problemAt(['taskClasses', name, 'probes'], 'expected at least one probe: completion product means proven by probes; found none')] : []),
    ]),
  ]
}

/** Who a class names as its reviewers, and who they name. */
function reviewProblems({ taskClasses, reviewers, profiles, purposes }: Configuration): Problem[] {
  const classes = Object.entries(taskClasses).flatMap(([name, { review }]) => {
    const path = ['taskClasses', name, 'review']
    if (review === undefined) return []
    const known = (list: readonly string[], field: string): Problem[] => list.flatMap((reviewer, index) => (entryOf(reviewers, reviewer) === undefined ? [undefinedName([...path, field, index], 'reviewer', reviewer, Object.keys(reviewers ?? {}))] : []))
    const all = [...review.required, ...(review.advisory ?? [])]
    const repeated = all.find((reviewer, index) => all.indexOf(reviewer) !== index)
    const families = new Set(review.required.map((reviewer) => entryOf(reviewers, reviewer)?.family)).size
    return [
      ...known(review.required, 'required'),
      ...known(review.advisory ?? [], 'advisory'),
      ...(repeated === undefined ? [] : [problemAt(path, `expected each reviewer once; found ${printName(repeated)} twice`)]),
      ...(review.required.length === 0 && review.authorityMustAgree !== true ? [problemAt([...path, 'required'], 'expected at least one reviewer, or authorityMustAgree: true; found neither')] : []),
      // The authority counts as a family of its own.
      ...(families + 1 < review.families ? [problemAt([...path, 'families'], `expected at most ${families + 1}, the families of the required reviewers and the authority; found ${review.families}`)] : []),
    ]
  })
  const models = Object.entries(reviewers ?? {}).flatMap(([name, reviewer]) => {
    if (reviewer.kind !== 'model') return []
    const profile = entryOf(profiles, reviewer.profile)
    return [
      ...(profile === undefined ? [undefinedName(['reviewers', name, 'profile'], 'profile', reviewer.profile, Object.keys(profiles))] : []),
      ...(entryOf(purposes, reviewer.purpose) === undefined ? [undefinedName(['reviewers', name, 'purpose'], 'purpose', reviewer.purpose, Object.keys(purposes))] : []),
    ]
  })
  return [...classes, ...models]
}

const undefinedName = (path: readonly PropertyKey[], kind: string, name: string, known: readonly string[]): Problem => problemAt(path, `expected the name of a ${kind} of this file; found ${printName(name)}${suggest(name, known)}`)

function profileProblems(path: readonly string[], profile: Profile, configuration: Configuration): Problem[] {
  const problems: Problem[] = []
  const { providers, aliases, purposes } = configuration
  const pair = parsePair(profile.model)
  if (pair === undefined && entryOf(aliases, profile.model) === undefined) {
    problems.push(problemAt([...path, 'model'], `expected an exact provider/model or the name of an alias; found ${printName(profile.model)}${suggest(profile.model, Object.keys(aliases ?? {}))}`))
  }
  if (pair !== undefined && entryOf(providers, pair.provider) === undefined) problems.push(undefinedName([...path, 'model'], 'provider', pair.provider, Object.keys(providers)))
  for (const [index, purpose] of profile.purposes.entries()) {
    if (entryOf(purposes, purpose) === undefined) problems.push(undefinedName([...path, 'purposes', index], 'purpose', purpose, Object.keys(purposes)))
  }
  return [...problems, ...agentProblems(path, profile)]
}

function agentProblems(path: readonly string[], profile: Profile): Problem[] {
  if (profile.agent === 'command' || profile.agent === 'acp') {
    return [
      ...(profile.command === undefined ? [problemAt(path, 'expected command, the argv of the agent; found nothing')] : []),
      ...(profile.agent === 'acp' && profile.refuses === undefined ? [problemAt(path, 'expected refuses, what of a repository its program would take settings from, as in [.agent/settings.json, .env], or [] for a program that takes none; found nothing')] : []),
      ...(profile.agentVersion === undefined ? [] : [problemAt([...path, 'agentVersion'], `expected no agentVersion: the agent ${profile.agent} has no version that can be checked`)]),
    ]
  }
  return [
    ...(profile.refuses === undefined ? [] : [problemAt([...path, 'refuses'], `expected no refuses: the adapter of ${profile.agent} knows what a repository must not bring`)]),
    ...(profile.agentVersion === undefined ? [problemAt(path, `expected agentVersion, the exact version of ${profile.agent}; found nothing`)] : []),
    ...(profile.agent === 'case' && profile.command === undefined ? [problemAt(path, 'expected command, bun and the program of Case, as in [bun, /opt/case/src/index.ts]; found nothing')] : []),
    ...(profile.command === undefined || profile.agent === 'case' ? [] : [problemAt([...path, 'command'], `expected no command: the adapter of ${profile.agent} writes the argv`)]),
  ]
}

/** An agent that refers to nothing, or that could never be in reach, is a mistake of the file and not of the agent. */
function longLivedProblems(path: readonly string[], agent: AgentDefinition, { profiles, purposes }: Configuration): Problem[] {
  const problems: Problem[] = []
  const profile = entryOf(profiles, agent.profile)
  if (profile === undefined) problems.push(undefinedName([...path, 'profile'], 'profile', agent.profile, Object.keys(profiles)))
  if (entryOf(purposes, agent.purpose) === undefined) problems.push(undefinedName([...path, 'purpose'], 'purpose', agent.purpose, Object.keys(purposes)))
  if (agent.provisioner.kind === 'process' && profile !== undefined && profile.command === undefined) problems.push(problemAt([...path, 'profile'], 'expected a profile with a command: it is what is started'))
  const refused = cardUrlProblem(agent)
  if (refused !== undefined) problems.push(problemAt([...path, 'cardUrl'], `expected an address that may be called; this is ${refused}`))
  if (milliseconds(agent.recheck) > milliseconds(agent.reprove)) problems.push(problemAt([...path, 'recheck'], 'expected it to be no longer than reprove'))
  if (milliseconds(agent.reprove) >= milliseconds(agent.validFor)) problems.push(problemAt([...path, 'validFor'], 'expected it to be longer than reprove: a proof that ends before the next one leaves the agent out of reach'))
  return problems
}
