import { canonicalJson, digestOf, sha256 } from '../contract/canonical.ts'
import { type ModelPair, printPair } from '../contract/model.ts'
import { type CallRecorder, ModelCallEvidence } from '../gates/wire/index.ts'
import type { SecretScanner } from '../gates/report/index.ts'
import { refuseSecretsIn } from './course.ts'
import type { Ledger } from './ledger.ts'

const digests = new WeakMap<ModelPair, string>()

/** The same few pairs are the subject of every call. */
function digestOfPair(pair: ModelPair): string {
  const digest = digests.get(pair) ?? digestOf(pair)
  digests.set(pair, digest)
  return digest
}

/** Stores each call of the wire as evidence of its run. Rejects if the store is down or the call holds a credential, and then the wire releases nothing. */
export function createCallRecorder(ledger: Pick<Ledger, 'append' | 'charged'>, scanner: SecretScanner): CallRecorder {
  return {
    charged: (account) => ledger.charged(account),
    async record(runId, call, charge) {
      const statement = ModelCallEvidence.state([{ name: printPair(call.admitted), digest: { sha256: digestOfPair(call.admitted) } }], call)
      const body = canonicalJson(statement)
      refuseSecretsIn(scanner, Buffer.from(body), statement.predicateType)
      const digest = sha256(body)
      await ledger.append({ runId, sealed: [{ body, digest }], ...(charge === undefined ? {} : { charge }) })
      return digest
    },
  }
}

/** Stores each call of a run, and tells whoever watches once it is stored. */
export function tellingRecorder({ ledger, scanner }: { readonly ledger: Pick<Ledger, 'append' | 'charged'>; readonly scanner: SecretScanner }, note: (text: string) => void): CallRecorder {
  const recorder = createCallRecorder(ledger, scanner)
  return {
    charged: (account) => recorder.charged(account),
    record: async (runId, call, charge) => {
      const digest = await recorder.record(runId, call, charge)
      note(`call ${call.number}: asked ${call.requestedModel ?? 'no model'}, ${call.outcome === 'answered' ? `served ${call.servedModel ?? 'unknown'}` : `${call.outcome} (${call.reason ?? ''})`}`)
      return digest
    },
  }
}
