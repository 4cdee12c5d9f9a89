import type { Refusal } from '../../contract/gate.ts'
import type { Reason } from '../../contract/reasons.ts'
import { definitionDigest, mayWrite, type ProbeDefinition, type TaskClass } from '../catalog/index.ts'
import { type BoundProbe, PROBES_AT_MOST } from './acceptance-facts.ts'
import { vacuousReason } from './vacuous.ts'

export interface BindingRequest {
  readonly taskClass: string
  readonly taskClasses: Readonly<Record<string, TaskClass>>
  readonly probes: Readonly<Record<string, ProbeDefinition>>
  readonly items: readonly { readonly id: number; readonly text: string; readonly probes: readonly string[] }[]
}

/** The probes of a run, in order, with what each is run by. `bound` is what the facts hold and what is stored (ACC-09). */
export interface Binding {
  readonly completion: TaskClass['completion']
  readonly bound: readonly BoundProbe[]
  readonly definitions: readonly { readonly name: string; readonly definition: ProbeDefinition }[]
}

export type BindingResult = { readonly ok: true; readonly binding: Binding } | { readonly ok: false; readonly refusal: Refusal }

/** Derives the probes of a run: those of its class in declared order, then those that its acceptance items name. Never throws. */
export function bindProbes(request: BindingRequest): BindingResult {
  const { taskClass, taskClasses, probes, items } = request
  const found = ownValue(taskClasses, taskClass)
  if (found === undefined) return refuse('task_class_unknown', `the task class ${taskClass}`, `the configuration has ${list(Object.keys(taskClasses), 'no task class')}`, 'Name one of the task classes, or add this one to taskClasses.')
  if (found.completion === 'product' && found.probes.length === 0) {
    return refuse('acceptance_unbound', `a probe for the task class ${taskClass}, which promises a product`, 'it names none', 'Name at least one probe in the class, or make its completion code or review.')
  }
  const unproven = items.find((item) => item.probes.length === 0)
  if (unproven !== undefined) return refuse('acceptance_unbound', `a probe for acceptance item ${unproven.id}`, 'it names none', 'Name the probe that proves the item.')
  const names = [...new Set([...found.probes, ...items.flatMap((item) => item.probes)])]
  if (names.length > PROBES_AT_MOST) return refuse('acceptance_unbound', `at most ${PROBES_AT_MOST} probes`, `the class and the items name ${names.length}`, 'Let one probe prove more, or split the task.')
  const definitions: { name: string; definition: ProbeDefinition }[] = []
  for (const name of names) {
    const definition = ownValue(probes, name)
    if (definition === undefined) return refuse('probe_unknown', `the probe ${name}`, `the configuration has ${list(Object.keys(probes), 'no probe')}`, 'Name one of the probes, or add this one to probes.')
    const vacuous = vacuousReason(definition)
    if (vacuous !== undefined) return refuse('probe_vacuous', `a probe ${name} that can fail`, vacuous, 'Let the probe look at the work: run its tests, or expect an output that only finished work prints.')
    definitions.push({ name, definition })
  }
  return { ok: true, binding: { completion: found.completion, bound: definitions.map(boundProbe), definitions } }
}

const boundProbe = ({ name, definition }: { name: string; definition: ProbeDefinition }): BoundProbe => ({
  probe: name,
  kind: definition.kind,
  definitionDigest: definitionDigest(definition),
  allowsWrites: mayWrite(definition),
})

/** `constructor` is a name that people may write, and no property of ours. */
const ownValue = <Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined => (Object.hasOwn(table, name) ? table[name] : undefined)

const list = (names: readonly string[], none: string): string => (names.length === 0 ? none : names.slice(0, 20).join(', '))

const refuse = (reason: Reason, asked: string, found: string, remedy: string): BindingResult => ({ ok: false, refusal: { reason, message: `The work cannot be proven: ${found}.`, asked, found, remedy } })
