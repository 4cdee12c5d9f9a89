/**
 * Every way to be refused: one row a reason. `exit` is the CLI's exit code when the refusal ends a command before any
 * process started (3 blocked, 4 failed acceptance, 75 try later); a run whose process had started exits 4 instead of 3.
 * `http` is the status that carries it. `retry` says whether the same request can succeed later without a change.
 * Source: DESIGN section 4. A test pins this table to docs/reasons.md.
 */
export const REASON_TABLE = {
  // any gate
  gate_crashed: { title: 'The gate itself failed', http: 500, exit: 3, retry: 'later' },
  gate_timed_out: { title: 'The gate gave no verdict in time', http: 503, exit: 75, retry: 'later' },
  gate_output_invalid: { title: 'The gate answered with something that is not a verdict', http: 500, exit: 3, retry: 'never' },
  required_gate_abstained: { title: 'A required gate abstained', http: 403, exit: 3, retry: 'never' },
  run_timed_out: { title: 'The run did not end within its limit', http: 422, exit: 3, retry: 'never' },
  interrupted: { title: 'The run was cancelled', http: 409, exit: 3, retry: 'later' },

  // catalog
  profile_unknown: { title: 'No profile has this name', http: 404, exit: 3, retry: 'never' },
  purpose_unknown: { title: 'No purpose has this name', http: 422, exit: 3, retry: 'never' },
  runtime_purpose_violation: { title: 'RuntimePurposeViolation: the profile may not be used for this purpose', http: 403, exit: 3, retry: 'never' },
  alias_unknown: { title: 'An alias points at a name nobody defines', http: 422, exit: 3, retry: 'never' },
  alias_cycle: { title: 'An alias leads back to itself', http: 422, exit: 3, retry: 'never' },
  alias_too_deep: { title: 'An alias takes too many steps', http: 422, exit: 3, retry: 'never' },
  alias_floating: { title: 'An alias ends at a name that is not an exact provider/model', http: 422, exit: 3, retry: 'never' },
  alias_exhausted: { title: 'The alias has no further candidate', http: 422, exit: 3, retry: 'never' },
  alias_override_invalid: { title: 'The override of the alias table is not valid', http: 422, exit: 3, retry: 'never' },
  provider_unknown: { title: 'No provider has this name', http: 422, exit: 3, retry: 'never' },

  // admission: the five statuses of the documents, less `admitted`
  missing_admission: { title: 'No record admits this pair', http: 403, exit: 3, retry: 'never' },
  mismatch: { title: 'The record admits another pair', http: 403, exit: 3, retry: 'never' },
  invalid_admission: { title: 'The admission record is not valid', http: 422, exit: 3, retry: 'never' },
  not_admitted: { title: 'The record does not admit this use', http: 403, exit: 3, retry: 'never' },

  // health and the wire: what the provider did
  health_unknown: { title: 'No probe in force shows that the model answers', http: 503, exit: 3, retry: 'later' },
  stale_epoch: { title: 'Another claim or a later generation has taken over', http: 403, exit: 3, retry: 'never' },
  provider_unhealthy: { title: 'The model failed too often, and no probe has shown since that it answers', http: 503, exit: 75, retry: 'later' },
  provider_auth: { title: 'The provider refused the credential', http: 502, exit: 3, retry: 'never' },
  provider_model_unknown: { title: 'The provider does not know the model', http: 502, exit: 3, retry: 'never' },
  provider_rate_limited: { title: 'The provider asks to slow down', http: 503, exit: 75, retry: 'later' },
  provider_overloaded: { title: 'The provider failed or is overloaded', http: 503, exit: 75, retry: 'later' },
  provider_unreachable: { title: 'The provider cannot be reached', http: 503, exit: 75, retry: 'later' },
  provider_address_refused: { title: 'The address of the provider may not be called', http: 502, exit: 3, retry: 'never' },
  provider_timeout: { title: 'The provider gave no answer in time', http: 503, exit: 75, retry: 'later' },
  provider_rejected: { title: 'The provider refused the request', http: 502, exit: 3, retry: 'never' },
  provider_malformed: { title: 'The provider answered with something that is no answer', http: 502, exit: 3, retry: 'later' },
  answer_truncated: { title: 'The answer was cut short', http: 502, exit: 75, retry: 'later' },
  credential_unavailable: { title: 'The wire has no credential for the provider', http: 503, exit: 3, retry: 'never' },
  tools_not_supported: { title: 'The model made no tool call when asked for one', http: 422, exit: 3, retry: 'never' },
  served_model_mismatch: { title: 'Another model than the admitted one answered', http: 502, exit: 3, retry: 'never' },
  served_model_unknown: { title: 'The answer names no model', http: 502, exit: 3, retry: 'never' },
  no_model_call: { title: 'The process asked no model anything', http: 422, exit: 4, retry: 'never' },

  // the wire: refusals to an agent
  run_unknown: { title: 'The request belongs to no live run', http: 401, exit: 3, retry: 'never' },
  run_ambiguous: { title: 'The request names two runs', http: 400, exit: 3, retry: 'never' },
  websocket_refused: { title: 'The wire speaks HTTP only, no WebSocket', http: 426, exit: 3, retry: 'never' },
  route_not_listed: { title: 'The wire has no such route', http: 404, exit: 3, retry: 'never' },
  model_not_admitted: { title: 'The model asked for is not admitted for this run', http: 403, exit: 3, retry: 'never' },
  setting_mismatch: { title: 'The request asks for another effort or context than its profile', http: 403, exit: 3, retry: 'never' },
  provider_tool_not_allowed: { title: 'The profile lists no such tool of the provider', http: 403, exit: 3, retry: 'never' },
  request_malformed: { title: 'The request cannot be read without guessing', http: 400, exit: 3, retry: 'never' },
  request_too_large: { title: 'The request is larger than the wire takes', http: 413, exit: 3, retry: 'never' },
  dialect_mismatch: { title: 'The provider speaks another dialect', http: 400, exit: 3, retry: 'never' },
  budget_exhausted: { title: 'What the run, its profile or the day may use is used up', http: 403, exit: 3, retry: 'never' },
  evidence_unavailable: { title: 'The evidence could not be stored', http: 503, exit: 75, retry: 'later' },

  // launch, readiness, dispatch
  agent_unknown: { title: 'No adapter drives this agent', http: 422, exit: 3, retry: 'never' },
  agent_not_installed: { title: 'The agent program was not found', http: 422, exit: 3, retry: 'never' },
  agent_version_mismatch: { title: 'The installed agent is another version than the profile names', http: 422, exit: 3, retry: 'never' },
  isolation_not_reached: { title: 'The isolation that the profile requires cannot be reached here', http: 422, exit: 3, retry: 'never' },
  permission_mode_unsupported: { title: 'The agent cannot be held to the permission mode of its profile', http: 422, exit: 3, retry: 'never' },
  screen_text: { title: 'A comment holds what a terminal showed, in place of words', http: 422, exit: 3, retry: 'never' },
  repository_undeclared: { title: 'The work reaches a repository that its ticket does not declare, or the other way round', http: 403, exit: 3, retry: 'never' },
  agent_setting_unsupported: { title: 'The agent cannot take a setting of its profile', http: 422, exit: 3, retry: 'never' },
  auth_route_missing: { title: 'No key can reach the model by this agent', http: 422, exit: 3, retry: 'never' },
  local_config_missing: { title: 'The local provider is not configured for this agent', http: 422, exit: 3, retry: 'never' },
  catalogue_model_unknown: { title: 'The installed agent does not know the model', http: 422, exit: 3, retry: 'never' },
  agent_does_not_start: { title: 'The installed agent does not start where it would run', http: 422, exit: 3, retry: 'never' },
  launch_plan_unsafe: { title: 'The launch plan would hand the agent a secret or the user\'s own configuration', http: 422, exit: 3, retry: 'never' },
  limit_not_enforceable: { title: 'A limit of the profile cannot be enforced', http: 422, exit: 3, retry: 'never' },
  target_repository_refused: { title: 'The run cannot be kept away from a target repository', http: 403, exit: 3, retry: 'never' },
  workspace_unusable: { title: 'The repository of the task cannot be worked on', http: 422, exit: 3, retry: 'never' },
  agent_not_started: { title: 'The agent process did not start', http: 500, exit: 4, retry: 'later' },
  agent_not_as_planned: { title: 'The running agent is not the one that was planned', http: 422, exit: 4, retry: 'never' },
  agent_not_ready: { title: 'The agent did not become ready in time', http: 503, exit: 4, retry: 'later' },
  // long-lived agents: what is missing until one counts as the agent that was meant
  missing_identity: { title: 'The agent has no identity that it can prove', http: 503, exit: 4, retry: 'never' },
  identity_mismatch: { title: 'The agent is another than the one that was meant', http: 503, exit: 4, retry: 'never' },
  missing_model: { title: 'The agent asked no model anything', http: 503, exit: 4, retry: 'never' },
  model_mismatch: { title: 'The agent is served by another model than the admitted one', http: 503, exit: 4, retry: 'never' },
  missing_mcp_server: { title: 'A tool server of the agent is missing', http: 503, exit: 4, retry: 'never' },
  missing_tool: { title: 'A tool that the agent needs is missing', http: 503, exit: 4, retry: 'never' },
  stale_deployment: { title: 'Another build is running than the one that was meant', http: 503, exit: 4, retry: 'never' },
  agent_probe_error: { title: 'The agent could not be asked who it is', http: 503, exit: 4, retry: 'later' },
  agent_probe_timeout: { title: 'The agent did not say in time who it is', http: 503, exit: 4, retry: 'later' },
  provision_timeout: { title: 'The agent did not prove in time who it is', http: 503, exit: 4, retry: 'later' },
  agent_card_url_rejected: { title: 'An address of the agent may not be called', http: 400, exit: 3, retry: 'never' },
  agent_lost: { title: 'The agent does not answer any more', http: 503, exit: 4, retry: 'later' },
  agent_stopped: { title: 'The agent was stopped', http: 409, exit: 3, retry: 'later' },
  no_ready_agent: { title: 'No agent has proven that it is the one that was meant', http: 503, exit: 75, retry: 'later' },
  runtime_busy: { title: 'The session is running a turn', http: 409, exit: 75, retry: 'later' },
  failed_to_inject: { title: 'The message did not enter the session', http: 409, exit: 4, retry: 'later' },

  // tickets: moves, claims, turns and completions
  transition_illegal: { title: 'The ticket cannot go there from where it stands', http: 409, exit: 3, retry: 'never' },
  ticket_claimed: { title: 'Somebody else works on the ticket', http: 409, exit: 75, retry: 'later' },
  ticket_full: { title: 'The ticket has no room for more', http: 409, exit: 3, retry: 'never' },
  change_invalid: { title: 'The change does not fit the ticket', http: 422, exit: 3, retry: 'never' },
  claim_stale: { title: 'The claim has ended, or belongs to an earlier epoch', http: 409, exit: 3, retry: 'never' },
  no_runtime: { title: 'No live session is attached to the ticket', http: 409, exit: 3, retry: 'later' },
  runtime_dead: { title: 'The session of the ticket has ended', http: 409, exit: 4, retry: 'later' },
  delivery_unknown: { title: 'Nothing confirms that the message reached the session', http: 409, exit: 4, retry: 'never' },
  signal_invalid: { title: 'The completion signal is not one', http: 422, exit: 4, retry: 'never' },
  stale_signal: { title: 'The completion signal belongs to another ticket, session or attempt', http: 409, exit: 4, retry: 'never' },
  nonce_spent: { title: 'The completion signal was used before, or has expired', http: 409, exit: 4, retry: 'never' },
  invalid_question: { title: 'The question is none, or repeats the prompt', http: 422, exit: 4, retry: 'never' },
  no_signal: { title: 'The turn ended without a completion signal', http: 409, exit: 4, retry: 'never' },
  item_unproven: { title: 'An acceptance item of the ticket has no verdict with evidence', http: 409, exit: 3, retry: 'later' },
  retry_limit_reached: { title: 'The ticket was tried as often as it may be', http: 409, exit: 3, retry: 'never' },
  profile_unhealthy: { title: 'No probe in force shows that the profile answers', http: 409, exit: 75, retry: 'later' },

  // acceptance
  agent_failed: { title: 'The agent ended in failure', http: 422, exit: 4, retry: 'never' },
  agent_protocol: { title: 'The result protocol of the agent failed', http: 422, exit: 4, retry: 'never' },
  agent_timed_out: { title: 'The agent did not end within its limit', http: 422, exit: 4, retry: 'never' },
  agent_limit_exceeded: { title: 'The agent went beyond what it may take of the machine', http: 422, exit: 4, retry: 'never' },
  done_without_change: { title: 'The agent changed nothing', http: 422, exit: 4, retry: 'never' },
  protected_changed: { title: 'The agent changed what the task protects', http: 422, exit: 4, retry: 'never' },
  work_not_pinned: { title: 'The work leads out of its workspace', http: 422, exit: 4, retry: 'never' },
  task_class_unknown: { title: 'No task class has this name', http: 422, exit: 3, retry: 'never' },
  acceptance_unbound: { title: 'An acceptance item has no probe', http: 422, exit: 4, retry: 'never' },
  probe_unknown: { title: 'No probe has this name', http: 422, exit: 3, retry: 'never' },
  probe_vacuous: { title: 'A probe asserts nothing', http: 422, exit: 3, retry: 'never' },
  probe_error: { title: 'A probe could not be run', http: 422, exit: 4, retry: 'later' },
  probe_failed: { title: 'A probe failed', http: 422, exit: 4, retry: 'never' },
  probe_timed_out: { title: 'A probe did not end within its limit', http: 422, exit: 4, retry: 'never' },
  probe_crashed: { title: 'runtime probe runner failed', http: 500, exit: 4, retry: 'later' },
  probe_changed_workspace: { title: 'A probe changed the workspace', http: 422, exit: 4, retry: 'never' },
  probe_unimplemented: { title: 'A probe kind is declared but not implemented', http: 422, exit: 4, retry: 'never' },
  probe_produced_nothing: { title: 'The probes ran and produced nothing', http: 422, exit: 4, retry: 'never' },
  probe_not_run: { title: 'A required probe was not run', http: 422, exit: 4, retry: 'later' },
  targets_not_watched: { title: 'Nobody watched the target repositories', http: 422, exit: 4, retry: 'later' },
  target_repository_touched: { title: 'A target repository was touched', http: 403, exit: 4, retry: 'never' },
  baseline_passes: { title: 'A probe passes on the untouched workspace', http: 422, exit: 4, retry: 'never' },
  baseline_inconclusive: { title: 'A probe gave no clear failure on the untouched workspace', http: 422, exit: 4, retry: 'never' },
  baseline_not_compared: { title: 'The result was not compared with what doing nothing achieves', http: 422, exit: 4, retry: 'later' },
  not_better_than_baseline: { title: 'The result is no better than what doing nothing achieves', http: 422, exit: 4, retry: 'never' },
  reference_fails: { title: 'A probe fails on the reference solution', http: 422, exit: 4, retry: 'never' },
  evidence_invalid: { title: 'Stored evidence is not valid', http: 500, exit: 4, retry: 'never' },
  approval_missing: { title: 'What a probe found waits for the approval of a person', http: 403, exit: 4, retry: 'never' },
  review_missing: { title: 'The task class asks for a review, and there is none', http: 403, exit: 4, retry: 'never' },
  delivery_missing: { title: 'The work was not delivered to a repository of the task', http: 422, exit: 4, retry: 'never' },
  delivery_unresolved: { title: 'The commit that is said to be delivered was found nowhere', http: 422, exit: 4, retry: 'never' },
  delivery_not_on_remote: { title: 'The commit is not on the target branch of its remote', http: 422, exit: 4, retry: 'never' },
  delivery_files_missing: { title: 'A file that is said to be delivered is not tracked, or empty', http: 422, exit: 4, retry: 'never' },
  delivery_tests_failed: { title: 'The tests of the delivered commit did not pass', http: 422, exit: 4, retry: 'never' },
  review_failed: { title: 'A reviewer rejects the work', http: 422, exit: 4, retry: 'never' },
  review_waiting: { title: 'The work waits for a review', http: 409, exit: 3, retry: 'later' },

  // report and ledger
  secret_leak: { title: 'A secret was found in an artefact', http: 500, exit: 4, retry: 'never' },
  secret_scan_incomplete: { title: 'An artefact could not be scanned', http: 500, exit: 4, retry: 'later' },
  ledger_tampered: { title: 'The ledger does not verify', http: 500, exit: 3, retry: 'never' },
} as const satisfies Record<string, { title: string; http: number; exit: 3 | 4 | 75; retry: 'never' | 'later' }>

export type Reason = keyof typeof REASON_TABLE
export const REASONS = Object.keys(REASON_TABLE) as [Reason, ...Reason[]]

/** The CLI's exit code for a refusal. A run whose process had started failed (4); it was not blocked (3) and is not retried blindly (75). */
export function exitCodeOf(reason: Reason, processStarted: boolean): 3 | 4 | 75 {
  return processStarted ? 4 : REASON_TABLE[reason].exit
}
