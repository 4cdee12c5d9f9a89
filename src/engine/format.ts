import * as z from 'zod'
import type { RunHistory } from './ledger.ts'
import { RunEvidence } from './observations.ts'

/**
 * The form of what a run stores and renders. Raised whenever stored facts or rendered files change so that those of before would
 * not be reproduced: then they are told as another form, and neither as tampered with nor as proven (ACC-34). 1 had no number in it.
 */
export const FORMAT = 3

const Opening = z.looseObject({ predicateType: z.string(), predicate: z.looseObject({ versions: z.looseObject({ portcullis: z.string(), format: z.int().positive().optional() }) }) })

/** In which form a run of a task was written, and by which version; undefined where its opening does not say. */
export function formatOf({ run, entries }: Pick<RunHistory, 'run' | 'entries'>): { readonly format: number; readonly version: string } | undefined {
  if (run.kind !== 'task') return undefined
  for (const entry of entries) {
    if (entry.kind !== 'evidence') continue
    const { format, portcullis } = openingIn(entry.body)?.predicate.versions ?? {}
    if (portcullis !== undefined) return { format: format ?? 1, version: portcullis }
  }
  return undefined
}

function openingIn(body: string): z.infer<typeof Opening> | undefined {
  try {
    const read = Opening.safeParse(JSON.parse(body))
    return read.success && read.data.predicateType === RunEvidence.type ? read.data : undefined
  } catch {
    return undefined
  }
}
