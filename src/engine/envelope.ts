import * as z from 'zod'
import { signatureHolds, type Signer, type VerificationKey } from './verification-key.ts'

export const PAYLOAD_TYPE = 'application/vnd.in-toto+json'

const Base64 = z.string().refine((text) => Buffer.from(text, 'base64').toString('base64') === text, 'expected base64')

/** A DSSE envelope as we write it: one line of JSON, one signature. */
export const Envelope = z.strictObject({
  payload: Base64,
  payloadType: z.literal(PAYLOAD_TYPE),
  signatures: z.tuple([z.strictObject({ keyid: z.string().regex(/^[0-9a-f]{64}$/), sig: Base64 })]),
})
export type Envelope = z.infer<typeof Envelope>

/** What a DSSE signature is made over: the payload with its type and both lengths before it, so that neither can be read as part of the other. */
export const preAuthenticated = (payload: Buffer): Buffer => Buffer.concat([Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `), payload])

export function sealEnvelope(payload: string, signer: Signer): Envelope {
  const bytes = Buffer.from(payload)
  return { payload: bytes.toString('base64'), payloadType: PAYLOAD_TYPE, signatures: [{ keyid: signer.key.keyId, sig: signer.sign(preAuthenticated(bytes)).toString('base64') }] }
}

/** Every line is an envelope, in one form only: no byte of the file is free. */
export const printEnvelopes = (envelopes: readonly Envelope[]): string => envelopes.map((envelope) => `${JSON.stringify(envelope)}\n`).join('')

/** Undefined for a line that is no envelope in that form. */
export function readEnvelope(line: string): Envelope | undefined {
  try {
    const envelope = Envelope.parse(JSON.parse(line))
    return JSON.stringify(envelope) === line ? envelope : undefined
  } catch {
    return undefined
  }
}

export type EnvelopeFault = 'wrong_key' | 'signature_invalid'

/** Why an envelope is not believed; undefined if the key it names is one of these and signed it. */
export function faultOfEnvelope(envelope: Envelope, keys: readonly VerificationKey[]): EnvelopeFault | undefined {
  const [{ keyid, sig }] = envelope.signatures
  const key = keys.find((each) => each.keyId === keyid)
  if (key === undefined) return 'wrong_key'
  return signatureHolds(key, preAuthenticated(Buffer.from(envelope.payload, 'base64')), Buffer.from(sig, 'base64')) ? undefined : 'signature_invalid'
}
