import type { AdmissionFile, DecisionFile } from './admission-facts.ts'

/** What was found where records are looked for. */
export interface AdmissionSource {
  /** `file`: one record was named by the caller. `directory`: the records that stand beside the configuration. */
  readonly kind: 'directory' | 'file'
  /** As shown to people, as in `admissions/`. */
  readonly path: string
  /** Why the place itself could not be read; null if it was, or if there is nothing there. */
  readonly problem: string | null
  readonly files: readonly AdmissionFile[]
}

/** What was found where decisions are looked for. A place that is not there holds none. */
export interface DecisionSource {
  /** As shown to people, as in `decisions/`. */
  readonly path: string
  /** Why the place itself could not be read; null if it was, or if there is nothing there. */
  readonly problem: string | null
  readonly files: readonly DecisionFile[]
}

/** Reads records. Nothing wrong with a file is an exception: it is a problem in the result, and problems deny. */
export interface AdmissionReader {
  readAdmissions(place: { readonly directory: string; readonly root: string }): AdmissionSource
  readAdmissionFile(place: { readonly file: string; readonly root: string }): AdmissionSource
  readDecisions(place: { readonly directory: string; readonly root: string }): DecisionSource
}
