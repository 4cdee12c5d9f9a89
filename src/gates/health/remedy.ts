import { printPair } from '../../contract/model.ts'
import type { Reason } from '../../contract/reasons.ts'
import type { HealthFacts } from './health-facts.ts'

/** What helps against a failed probe. For a reason without its own row: look at the provider, then probe again. */
export function remedyFor(reason: Reason, facts: HealthFacts): string {
  const { provider, model } = facts.pair
  const pair = printPair(facts.pair)
  const credential = `\`${facts.credential.source}\` (class ${facts.credential.class})`
  const remedies: Partial<Record<Reason, string>> = {
    provider_auth: `Check the credential ${credential} of provider ${provider}: it must be live and allowed to use ${model}.`,
    credential_unavailable: `Provide the credential ${credential} of provider ${provider} to the process that runs Portcullis; agents never need it.`,
    provider_model_unknown: `Compare ${model} with the provider's own list of models (GET /v1/models of ${provider}); ids are exact. A retired model needs another pair, admitted.`,
    provider_rate_limited: `Wait, then probe again; if it stays, raise the quota of ${credential}.`,
    provider_overloaded: `Wait, then probe again; the status page of ${provider} tells if others see it too.`,
    provider_unreachable: `Check that ${provider} runs and that its baseUrl in portcullis.yaml is right, then probe again.`,
    provider_address_refused: `Give ${provider} a public address in portcullis.yaml, or a loopback address itself; for a private network set allowPrivateAddresses: true in its entry.`,
    provider_timeout: `Check that ${provider} answers at all; if the model is slow to start, raise the provider's timeouts in portcullis.yaml.`,
    provider_rejected: `Read the call's detail: the provider refuses the request itself. Check dialect and model of ${pair} in portcullis.yaml.`,
    provider_malformed: `Check that baseUrl and dialect of ${provider} in portcullis.yaml belong together; a proxy or a web page may be answering.`,
    answer_truncated: `Probe again; if it stays, look for a proxy between here and ${provider} that cuts answers.`,
    tools_not_supported: `Choose a model that calls tools, or serve ${model} with its tool parser switched on; an agent without tools changes nothing.`,
    served_model_mismatch: `Have ${provider} serve ${model} itself. If the name found is a dated snapshot of it, list it in served_model_ids of the admission record.`,
    served_model_unknown: `Have ${provider} name the model in its answers; without a name nobody can tell what answered.`,
    health_unknown: `Probe it now: npx portcullis probe, with the profile that uses ${pair}.`,
    evidence_invalid: 'Probe again; a call that does not fit the probe counts for nothing.',
  }
  return remedies[reason] ?? `Look at ${provider} and at the calls of this run, then probe ${pair} again.`
}
