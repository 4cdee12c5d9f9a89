import type { ReactNode } from 'react'
import type { Answers } from './api.ts'
import { Mark } from './ui.tsx'

type Shown = Answers['listAgents']['agents'][number]
type Sides = NonNullable<Shown['expected']>

/** Whether what was seen is what was meant. Undefined where one of them is not known: that is no match. */
export function same(field: keyof Sides, expected: Sides | null, observed: Sides | null): boolean | undefined {
  if (expected === null || observed === null) return undefined
  if (field === 'tools') return expected.tools.every((tool) => observed.tools.includes(tool))
  const [wanted, seen] = [expected[field], observed[field]]
  // Before its first look an agent is described by its files and its profile, which no digest can be held against.
  if (wanted === null || seen === null || (field === 'model' && wanted.startsWith('by profile ')) || ((field === 'persona' || field === 'build') && !wanted.startsWith('sha256:'))) return undefined
  return wanted === seen
}

export const FIELDS = ['name', 'version', 'persona', 'build', 'model', 'tools'] as const satisfies readonly (keyof Sides)[]

/** In which of them an agent that was seen is not the one that was meant. Of one that was not seen nothing is known, which is no difference. */
export const differences = ({ expected, observed }: Pick<Shown, 'expected' | 'observed'>): readonly (keyof Sides)[] => FIELDS.filter((field) => same(field, expected, observed) === false)

/** Whether it may be given something to do now. */
export const Ready = ({ agent }: { readonly agent: Pick<Shown, 'routable' | 'state'> }): ReactNode => (agent.routable ? <Mark outcome="pass" word="may be asked" /> : <Mark outcome="abstain" word="is asked nothing" />)
