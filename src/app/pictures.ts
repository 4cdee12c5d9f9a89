import { type AskedPicture, type Ledger, pictureBytes, picturesOf, type ProbeOutput, probeOutputsOf, type RunPicture } from '../engine/index.ts'
import { approveParts } from './approve.ts'
import type { AppOptions } from './places.ts'

// Surfaces know the app and the contract alone.
export { PICTURE_FORMS, ProbeOutput, RunPicture } from '../engine/index.ts'

/** What the probes of a run saw of its pages, and what people have approved of it. Throws `run_not_found` or `store_tampered`. */
export const runPictures = async (options: AppOptions, ledger: Ledger, runId: string): Promise<RunPicture[]> => picturesOf(await approveParts(options, ledger), runId)

/** One picture, if its bytes are those that the ledger names. Throws `nothing_stored` or `store_tampered`. */
export const runPicture = async (options: AppOptions, ledger: Ledger, asked: AskedPicture): Promise<Buffer> => pictureBytes(await approveParts(options, ledger), asked)

/** What the probes of a run printed. Throws `run_not_found` or `store_tampered`. */
export const runProbeOutputs = (ledger: Ledger, runId: string): Promise<ProbeOutput[]> => probeOutputsOf({ ledger }, runId)
