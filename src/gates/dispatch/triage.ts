import * as z from 'zod'
import { readStrictJson } from '../catalog/index.ts'
import type { Ticket, TriageDecision } from './ticket.ts'

/** A rule by which tickets find their agent. */
export interface TriageRule {
  readonly agent: string
  readonly skill: string
  readonly labels: readonly string[]
  readonly words: readonly string[]
}

/** A label was chosen by somebody; a word in a text may stand there by chance. */
const LABEL_WEIGHT = 0.8
const WORD_WEIGHT = 0.4

/**
 * Which agent a ticket is for, and how sure that is. Labels and words that hit add up as independent hints; another agent
 * that fits as well makes it less sure. Below `threshold` nobody is assigned: a person decides (MC-021). Pure.
 */
export function triage(ticket: Pick<Ticket, 'title' | 'description' | 'labels'>, rules: readonly TriageRule[], threshold: number): TriageDecision {
  const scored = rules.map((rule) => ({ rule, ...scoreOf(ticket, rule) })).toSorted((one, other) => other.score - one.score)
  const [best] = scored
  if (best === undefined || best.score === 0) return { agent: null, confidence: 0, skill: null, reason: rules.length === 0 ? 'No rule of triage is configured.' : 'No rule of triage fits the ticket.', assigned: false }
  const rival = scored.find(({ rule }) => rule.agent !== best.rule.agent)?.score ?? 0
  const confidence = Math.round((best.score * best.score) / (best.score + rival) * 100) / 100
  const why = `${best.hits.join(', ')} ${best.hits.length === 1 ? 'fits' : 'fit'} the skill ${best.rule.skill}`
  const assigned = confidence >= threshold
  const reason = assigned ? `${why}.` : `${why}, but ${confidence} is below ${threshold}${rival > 0 ? ' because another agent fits as well' : ''}.`
  return { agent: best.rule.agent, confidence, skill: best.rule.skill, reason, assigned }
}

function scoreOf(ticket: Pick<Ticket, 'title' | 'description' | 'labels'>, rule: TriageRule): { readonly score: number; readonly hits: readonly string[] } {
  const labels = rule.labels.filter((label) => ticket.labels.some((own) => own.toLowerCase() === label.toLowerCase()))
  const text = new Set(`${ticket.title} ${ticket.description}`.toLowerCase().split(/[^\p{L}\p{N}_-]+/u))
  const words = rule.words.filter((word) => text.has(word.toLowerCase()))
  const miss = (1 - LABEL_WEIGHT) ** labels.length * (1 - WORD_WEIGHT) ** words.length
  return { score: 1 - miss, hits: [...labels.map((label) => `label ${label}`), ...words.map((word) => `word ${word}`)] }
}

const SaidByModel = z.strictObject({ agent: z.string(), skill: z.string(), confidence: z.number().min(0).max(1), reason: z.string().trim().min(1).max(500).regex(/^[^\p{Cc}]+$/u, 'expected one sentence on one line') })

/** What a model that was asked answered, read strictly; what is malformed, or names what no rule has, decides nothing. Pure. */
export function triageByModel(said: string, rules: readonly TriageRule[], threshold: number): { readonly ok: true; readonly decision: TriageDecision } | { readonly ok: false; readonly found: string } {
  const json = readStrictJson(said)
  if ('problem' in json) return { ok: false, found: `an answer that is ${json.problem}` }
  const read = SaidByModel.safeParse(json.value)
  if (!read.success) return { ok: false, found: `an answer of another form (${read.error.issues.map(({ path }) => path.join('.') || 'it').join(', ')})`.slice(0, 300) }
  const { agent, skill, confidence, reason } = read.data
  // The rules say who there is; a name that no rule has cannot be given work.
  const rule = rules.find((each) => each.agent === agent && each.skill === skill)
  if (rule === undefined) return { ok: false, found: 'an agent or a skill that no rule names' }
  const assigned = confidence >= threshold
  return { ok: true, decision: { agent: rule.agent, confidence, skill: rule.skill, reason: assigned ? reason : `${reason} (${confidence} is below ${threshold})`, assigned } }
}
