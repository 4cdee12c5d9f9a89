import type { Reason } from '../../contract/reasons.ts'

/** What to do about each way a run can fail on the wire. One place, so that the screen, the report and the agent read the same. */
export const REMEDIES: Partial<Readonly<Record<Reason, string>>> = {
  evidence_invalid: 'Run it again; a record with foreign or doubled calls proves nothing. If it happens again, verify the ledger.',
  evidence_unavailable: 'Free the ledger (disk full, locked, another process), then run it again; a call without evidence counts as failed.',
  served_model_mismatch: 'Nothing of this run may count. Ask the provider what it serves under this name; if it is a dated snapshot of the model, have the admission record list it.',
  served_model_unknown: 'Use an endpoint that names the model in its answers; an unnamed answer could be any model\'s.',
  no_model_call: 'Read what the agent wrote in backend/agent.stderr.log, and check that it uses the base URL and the run token of the wire; its own settings or login may win over them. What it wrote without a model proves nothing.',
  provider_auth: 'Check the credential that the provider\'s entry in portcullis.yaml names; the wire read it and the provider refused it.',
  provider_model_unknown: 'Check the exact model id with the provider; the alias or the record may name one that is gone.',
  provider_rate_limited: 'Wait for the time the provider asks for, then run it again.',
  provider_overloaded: 'Run it again later; the provider failed, not the agent.',
  provider_unreachable: 'Check the base URL, that the provider runs, and the network between.',
  provider_address_refused: 'Give the entry in portcullis.yaml a public address, or a loopback address itself; for a private network, or a name in one, set `allowPrivateAddresses: true` there. Metadata and link-local addresses are never called.',
  provider_timeout: 'See whether the provider hangs; if it is only slow, raise `timeouts` of its entry in portcullis.yaml.',
  provider_rejected: 'Read the provider\'s own message in the agent\'s log: it refused the request as the agent wrote it.',
  provider_malformed: 'Check that the base URL is an API endpoint of the dialect its entry names.',
  answer_truncated: 'Run it again; if it happens again, look for a proxy or a limit that cuts answers short.',
  credential_unavailable: 'Provide the credential at the source that the provider\'s entry names; the wire reads it there for every call.',
  model_not_admitted: 'Make the agent ask for the admitted model, set `backgroundModels: map` in the profile, or have the other pair admitted.',
  dialect_mismatch: 'Choose an agent that speaks the dialect of the provider; nothing is translated.',
  budget_exhausted: 'Raise `limits` of the profile, or the `budget` it shares with others, if the task deserves it; nothing more is forwarded until then.',
  request_malformed: 'Look at what the agent sends: one JSON object with one top-level "model" string, uncompressed.',
  websocket_refused: 'Nothing, if the agent went on over HTTP; otherwise switch WebSockets off in its settings.',
  route_not_listed: 'Let the agent use a listed route; the wire forwards nothing else.',
  interrupted: 'Run it again and let it end; a call that was cut off proves nothing.',
  secret_leak: 'Replace the credential: the provider sent it back in an answer. The agent did not get it.',
}
