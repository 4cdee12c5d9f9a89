// Generated from spec/openapi.json by npm run generate; do not edit.

export type Problem = {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly asked: string
  readonly found: string
  readonly remedy: string
  readonly retry: 'never' | 'later'
  readonly details?: { readonly [name: string]: string | number | null | readonly (string)[] }
}

export type JsonValue = string | number | boolean | null | readonly (JsonValue)[] | { readonly [name: string]: JsonValue }

export type ReadyzChecks = {
  readonly name: string
  readonly ready: boolean
  readonly found: string
}

export type ListRunsRuns = {
  readonly runId: string
  readonly number: number
  readonly kind: 'task' | 'probe' | 'wire' | 'review' | 'approval' | 'agent' | 'tickets' | 'session' | 'acts'
  readonly taskId: string
  readonly state: 'open' | 'started' | 'waiting' | 'accepted' | 'failed' | 'blocked' | 'checked' | 'closed' | 'recorded'
  readonly reason: 'gate_crashed' | 'gate_timed_out' | 'gate_output_invalid' | 'required_gate_abstained' | 'run_timed_out' | 'interrupted' | 'profile_unknown' | 'purpose_unknown' | 'runtime_purpose_violation' | 'alias_unknown' | 'alias_cycle' | 'alias_too_deep' | 'alias_floating' | 'alias_exhausted' | 'alias_override_invalid' | 'provider_unknown' | 'missing_admission' | 'mismatch' | 'invalid_admission' | 'not_admitted' | 'health_unknown' | 'stale_epoch' | 'provider_unhealthy' | 'provider_auth' | 'provider_model_unknown' | 'provider_rate_limited' | 'provider_overloaded' | 'provider_unreachable' | 'provider_address_refused' | 'provider_timeout' | 'provider_rejected' | 'provider_malformed' | 'answer_truncated' | 'credential_unavailable' | 'tools_not_supported' | 'served_model_mismatch' | 'served_model_unknown' | 'no_model_call' | 'run_unknown' | 'run_ambiguous' | 'websocket_refused' | 'route_not_listed' | 'model_not_admitted' | 'setting_mismatch' | 'provider_tool_not_allowed' | 'request_malformed' | 'request_too_large' | 'dialect_mismatch' | 'budget_exhausted' | 'evidence_unavailable' | 'agent_unknown' | 'agent_not_installed' | 'agent_version_mismatch' | 'isolation_not_reached' | 'permission_mode_unsupported' | 'screen_text' | 'repository_undeclared' | 'agent_setting_unsupported' | 'auth_route_missing' | 'local_config_missing' | 'catalogue_model_unknown' | 'agent_does_not_start' | 'launch_plan_unsafe' | 'limit_not_enforceable' | 'target_repository_refused' | 'workspace_unusable' | 'agent_not_started' | 'agent_not_as_planned' | 'agent_not_ready' | 'missing_identity' | 'identity_mismatch' | 'missing_model' | 'model_mismatch' | 'missing_mcp_server' | 'missing_tool' | 'stale_deployment' | 'agent_probe_error' | 'agent_probe_timeout' | 'provision_timeout' | 'agent_card_url_rejected' | 'agent_lost' | 'agent_stopped' | 'no_ready_agent' | 'runtime_busy' | 'failed_to_inject' | 'transition_illegal' | 'ticket_claimed' | 'ticket_full' | 'change_invalid' | 'claim_stale' | 'no_runtime' | 'runtime_dead' | 'delivery_unknown' | 'signal_invalid' | 'stale_signal' | 'nonce_spent' | 'invalid_question' | 'no_signal' | 'item_unproven' | 'retry_limit_reached' | 'profile_unhealthy' | 'agent_failed' | 'agent_protocol' | 'agent_timed_out' | 'agent_limit_exceeded' | 'done_without_change' | 'protected_changed' | 'work_not_pinned' | 'task_class_unknown' | 'acceptance_unbound' | 'probe_unknown' | 'probe_vacuous' | 'probe_error' | 'probe_failed' | 'probe_timed_out' | 'probe_crashed' | 'probe_changed_workspace' | 'probe_unimplemented' | 'probe_produced_nothing' | 'probe_not_run' | 'targets_not_watched' | 'target_repository_touched' | 'baseline_passes' | 'baseline_inconclusive' | 'baseline_not_compared' | 'not_better_than_baseline' | 'reference_fails' | 'evidence_invalid' | 'approval_missing' | 'review_missing' | 'delivery_missing' | 'delivery_unresolved' | 'delivery_not_on_remote' | 'delivery_not_new' | 'delivery_files_missing' | 'delivery_tests_failed' | 'review_failed' | 'review_waiting' | 'secret_leak' | 'secret_scan_incomplete' | 'ledger_tampered' | null
  readonly startedAt: string
  readonly endedAt: string | null
}

export type ShowReportRefusal = {
  readonly asked: string
  readonly found: string
  readonly remedy: string
}

export type ModelAdmissionRecord = {
  readonly path: string
  readonly sha256: string
  readonly expires_at: string | null
}

export type AcceptanceRuntimeProbeEvidence = {
  readonly probe: string
  readonly kind: string
  readonly phase: 'untouched' | 'fake' | 'reference' | 'result'
  readonly status: string
  readonly summary: string
  readonly duration_ms: number
  readonly evidence: string
}

export type ListQueueEntries = {
  readonly id: string
  readonly number: number
  readonly state: 'queued' | 'claimed' | 'ended'
  readonly order: {
    readonly task: string
    readonly profile: string | null
    readonly purpose: string | null
    readonly backend: string | null
    readonly admission: string | null
  }
  readonly attempts: number
  readonly by: string
  readonly queued_at: string
  readonly epoch: number
  readonly beats: number
  readonly worker: string | null
  readonly lease_ms: number | null
  readonly outcome: 'accepted' | 'failed' | 'blocked' | 'waiting' | 'given_up' | null
  readonly result: string | null
  readonly ended_at: string | null
  readonly runs: readonly ({
    readonly run: string
    readonly epoch: number
    readonly state: string
    readonly reason: string | null
  })[]
}

export type PurposesRefusal = {
  readonly reason: 'gate_crashed' | 'gate_timed_out' | 'gate_output_invalid' | 'required_gate_abstained' | 'run_timed_out' | 'interrupted' | 'profile_unknown' | 'purpose_unknown' | 'runtime_purpose_violation' | 'alias_unknown' | 'alias_cycle' | 'alias_too_deep' | 'alias_floating' | 'alias_exhausted' | 'alias_override_invalid' | 'provider_unknown' | 'missing_admission' | 'mismatch' | 'invalid_admission' | 'not_admitted' | 'health_unknown' | 'stale_epoch' | 'provider_unhealthy' | 'provider_auth' | 'provider_model_unknown' | 'provider_rate_limited' | 'provider_overloaded' | 'provider_unreachable' | 'provider_address_refused' | 'provider_timeout' | 'provider_rejected' | 'provider_malformed' | 'answer_truncated' | 'credential_unavailable' | 'tools_not_supported' | 'served_model_mismatch' | 'served_model_unknown' | 'no_model_call' | 'run_unknown' | 'run_ambiguous' | 'websocket_refused' | 'route_not_listed' | 'model_not_admitted' | 'setting_mismatch' | 'provider_tool_not_allowed' | 'request_malformed' | 'request_too_large' | 'dialect_mismatch' | 'budget_exhausted' | 'evidence_unavailable' | 'agent_unknown' | 'agent_not_installed' | 'agent_version_mismatch' | 'isolation_not_reached' | 'permission_mode_unsupported' | 'screen_text' | 'repository_undeclared' | 'agent_setting_unsupported' | 'auth_route_missing' | 'local_config_missing' | 'catalogue_model_unknown' | 'agent_does_not_start' | 'launch_plan_unsafe' | 'limit_not_enforceable' | 'target_repository_refused' | 'workspace_unusable' | 'agent_not_started' | 'agent_not_as_planned' | 'agent_not_ready' | 'missing_identity' | 'identity_mismatch' | 'missing_model' | 'model_mismatch' | 'missing_mcp_server' | 'missing_tool' | 'stale_deployment' | 'agent_probe_error' | 'agent_probe_timeout' | 'provision_timeout' | 'agent_card_url_rejected' | 'agent_lost' | 'agent_stopped' | 'no_ready_agent' | 'runtime_busy' | 'failed_to_inject' | 'transition_illegal' | 'ticket_claimed' | 'ticket_full' | 'change_invalid' | 'claim_stale' | 'no_runtime' | 'runtime_dead' | 'delivery_unknown' | 'signal_invalid' | 'stale_signal' | 'nonce_spent' | 'invalid_question' | 'no_signal' | 'item_unproven' | 'retry_limit_reached' | 'profile_unhealthy' | 'agent_failed' | 'agent_protocol' | 'agent_timed_out' | 'agent_limit_exceeded' | 'done_without_change' | 'protected_changed' | 'work_not_pinned' | 'task_class_unknown' | 'acceptance_unbound' | 'probe_unknown' | 'probe_vacuous' | 'probe_error' | 'probe_failed' | 'probe_timed_out' | 'probe_crashed' | 'probe_changed_workspace' | 'probe_unimplemented' | 'probe_produced_nothing' | 'probe_not_run' | 'targets_not_watched' | 'target_repository_touched' | 'baseline_passes' | 'baseline_inconclusive' | 'baseline_not_compared' | 'not_better_than_baseline' | 'reference_fails' | 'evidence_invalid' | 'approval_missing' | 'review_missing' | 'delivery_missing' | 'delivery_unresolved' | 'delivery_not_on_remote' | 'delivery_not_new' | 'delivery_files_missing' | 'delivery_tests_failed' | 'review_failed' | 'review_waiting' | 'secret_leak' | 'secret_scan_incomplete' | 'ledger_tampered'
  readonly asked: string
  readonly found: string
  readonly remedy: string
}

export type PicturesCompared = {
  readonly approval: string
  readonly sha256: string
  readonly approved_by: string | null
  readonly reason: string | null
  readonly approved_at: string | null
  readonly run_id: string | null
}

export type ProbesStdout = {
  readonly head: string
  readonly tail: string
  readonly bytes: number
  readonly sha256: string
  readonly truncated: boolean
}

export type AgentsExpected = {
  readonly name: string
  readonly version: string | null
  readonly persona: string | null
  readonly build: string | null
  readonly model: string | null
  readonly tools: readonly (string)[]
}

export type StartAgent = {
  readonly run_id: string
  readonly generation: number
  readonly access: {
    readonly token: string
    readonly base_url: string
    readonly expires_at: string
  } | null
}

export type ShowDrill = {
  readonly last: {
    readonly began_at: string
    readonly ended_at: string
    readonly asked_by: string
    readonly answer: {
      readonly profiles: readonly ({
        readonly profile: string
        readonly purpose: string | null
        readonly model: string
        readonly control: {
          readonly accepted: boolean
          readonly message: string
          readonly elapsed_ms: number
        }
        readonly lines: readonly ({
          readonly attack: string
          readonly title: string
          readonly tried: string
          readonly verdict: 'closed' | 'open' | 'not-applicable' | 'not-proven'
          readonly expected: {
            readonly by: string
            readonly reason: string
          }
          readonly found: {
            readonly by: string | null
            readonly reason: string | null
            readonly message: string
          } | null
          readonly because: readonly (string)[]
          readonly elapsed_ms: number
        })[]
      })[]
      readonly closed: number
      readonly open: number
      readonly not_applicable: number
      readonly not_proven: number
      readonly elapsed_ms: number
      readonly exit_code: 0 | 4
    }
  } | null
  readonly tampered: string | null
  readonly running: {
    readonly began_at: string
    readonly asked_by: string
    readonly tried: number
    readonly open: number
  } | null
  readonly fault: string | null
}

export type ShowDoctorLast = {
  readonly began_at: string
  readonly ended_at: string
  readonly asked_by: string
  readonly answer: {
    readonly rows: readonly ({
      readonly area: 'configuration' | 'installed' | 'profiles' | 'credentials' | 'reachable' | 'records' | 'state'
      readonly name: string
      readonly status: 'ok' | 'missing' | 'warning' | 'unneeded'
      readonly found: string
      readonly needed_for: string
      readonly remedy: string | null
    })[]
    readonly missing: number
    readonly warnings: number
    readonly exit_code: 0 | 3
  }
}

export type ListTicketsTickets = {
  readonly id: string
  readonly number: number
  readonly version: number
  readonly title: string
  readonly description: string
  readonly source: ListTicketsTicketsSource | null
  readonly priority: 'low' | 'medium' | 'high' | 'urgent'
  readonly project: string
  readonly kind: 'code' | 'research'
  readonly labels: readonly (string)[]
  readonly requester: string
  readonly owner: string | null
  readonly state: 'triage' | 'todo' | 'in_progress' | 'review' | 'question' | 'blocked' | 'done' | 'closed'
  readonly reason: string | null
  readonly resolution: 'accepted' | 'declined' | null
  readonly runtime: ListTicketsTicketsRuntime
  readonly epoch: number
  readonly claim: ListTicketsTicketsClaim | null
  readonly triage: ListTicketsTicketsTriage | null
  readonly acceptance: readonly (ListTicketsTicketsAcceptance)[]
  readonly phases: readonly (string)[] | null
  readonly phase: number
  readonly repositories: readonly (string)[]
  readonly dispatch_failures: number
  readonly review_rejections: number
  readonly findings: readonly ({
    readonly by: string
    readonly text: string
  })[]
  readonly retry_at: string | null
  readonly terminal: ListTicketsTicketsTerminal | null
  readonly attachments: readonly (ListTicketsTicketsAttachments)[]
  readonly evidence: readonly (string)[]
  readonly runs: readonly (string)[]
  readonly created_at: string
  readonly state_since: string
  readonly updated_at: string
}

export type ListTicketsTicketsSource = {
  readonly reference: string
  readonly key: string | null
  readonly url: string | null
  readonly reconciled: boolean
}

export type ListTicketsTicketsRuntime = {
  readonly state: 'none' | 'starting' | 'ready' | 'running' | 'needs_input' | 'failed' | 'closed'
  readonly session: string | null
  readonly profile: string | null
  readonly triple: string | null
  readonly cwd: string | null
  readonly mode: 'INTERACTIVE' | 'HEADLESS' | null
  readonly started_at: string | null
  readonly last_activity_at: string | null
  readonly ended_at: string | null
  readonly duration_ms: number | null
}

export type ListTicketsTicketsClaim = {
  readonly holder: string
  readonly shown_by?: string
  readonly kind: 'human' | 'agent' | 'service' | 'reviewer' | 'gate'
  readonly epoch: number
  readonly expires_at: string
  readonly lease?: ListTicketsTicketsClaimLease
}

export type ListTicketsTicketsClaimLease = {
  readonly boot: string
  readonly ends_ms: number
  readonly length_ms: number
}

export type ListTicketsTicketsTriage = {
  readonly agent: string | null
  readonly confidence: number
  readonly skill: string | null
  readonly reason: string
  readonly assigned: boolean
}

export type ListTicketsTicketsAcceptance = {
  readonly id: number
  readonly text: string
  readonly verdict: 'pass' | 'fail' | null
  readonly reason: string | null
  readonly evidence: readonly (string)[]
  readonly by: string | null
  readonly at: string | null
}

export type ListTicketsTicketsTerminal = {
  readonly contract: 1
  readonly status: 'ok' | 'warning' | 'failed' | 'blocked'
  readonly summary: string
  readonly root_cause: string | null
  readonly safe_retry: string
  readonly stop_condition: string
  readonly human_input_required: boolean
  readonly next_actions: readonly (string)[]
  readonly artifacts: readonly (string)[]
}

export type ListTicketsTicketsAttachments = {
  readonly name: string
  readonly media_type: string
  readonly sha256: string
  readonly bytes: number
  readonly by: string
  readonly at: string
}

export type CreateTicket = {
  readonly ticket: ListTicketsTickets
  readonly cards: {
    readonly state: 'triage' | 'todo' | 'in_progress' | 'review' | 'question' | 'blocked' | 'done' | 'closed'
    readonly next_action: {
      readonly code: 'closed' | 'wait' | 'operator' | 'retry'
      readonly at: string | null
    }
    readonly owner: string | null
    readonly runtime: 'none' | 'starting' | 'ready' | 'running' | 'needs_input' | 'failed' | 'closed'
    readonly created_at: string
  }
  readonly status: {
    readonly code: string
    readonly sentence: string
    readonly profile: string | null
    readonly cwd: string | null
    readonly started_at: string | null
    readonly last_activity_at: string | null
    readonly duration_ms: number | null
  }
  readonly working: boolean
  readonly buttons: {
    readonly message: boolean
    readonly interrupt: boolean
    readonly restart: boolean
  }
  readonly moves: readonly ('triage' | 'todo' | 'in_progress' | 'review' | 'question' | 'blocked' | 'done' | 'closed')[]
}

export type TicketsEvents = {
  readonly ticket: string
  readonly sequence: number
  readonly kind: 'created' | 'imported' | 'commented' | 'triaged' | 'moved' | 'claimed' | 'claim_renewed' | 'released' | 'phases_chosen' | 'review_ready' | 'attached' | 'edited' | 'session_opened' | 'session_changed' | 'permission_answered' | 'message_queued' | 'message_removed' | 'message_changed' | 'message_refused' | 'turn_began' | 'turn_delivered' | 'turn_ended' | 'signal_refused' | 'interrupted' | 'restarted' | 'overruled' | 'item_judged' | 'rejected' | 'closed' | 'closing_refused' | 'start_refused'
  readonly at: string
  readonly actor: TicketsEventsActor
  readonly origin: 'observed' | 'mirrored'
  readonly text: string | null
  readonly data: { readonly [name: string]: JsonValue }
  readonly set: {
    readonly number?: number
    readonly title?: string
    readonly description?: string
    readonly source?: ListTicketsTicketsSource | null
    readonly priority?: 'low' | 'medium' | 'high' | 'urgent'
    readonly project?: string
    readonly kind?: 'code' | 'research'
    readonly labels?: readonly (string)[]
    readonly requester?: string
    readonly owner?: string | null
    readonly state?: 'triage' | 'todo' | 'in_progress' | 'review' | 'question' | 'blocked' | 'done' | 'closed'
    readonly reason?: string | null
    readonly resolution?: 'accepted' | 'declined' | null
    readonly runtime?: ListTicketsTicketsRuntime
    readonly epoch?: number
    readonly claim?: ListTicketsTicketsClaim | null
    readonly triage?: ListTicketsTicketsTriage | null
    readonly acceptance?: readonly (ListTicketsTicketsAcceptance)[]
    readonly phases?: readonly (string)[] | null
    readonly phase?: number
    readonly repositories?: readonly (string)[]
    readonly dispatch_failures?: number
    readonly review_rejections?: number
    readonly findings?: readonly ({
      readonly by: string
      readonly text: string
    })[]
    readonly retry_at?: string | null
    readonly terminal?: ListTicketsTicketsTerminal | null
    readonly attachments?: readonly (ListTicketsTicketsAttachments)[]
    readonly evidence?: readonly (string)[]
    readonly runs?: readonly (string)[]
    readonly created_at?: string
    readonly state_since?: string
  }
}

export type TicketsEventsActor = {
  readonly id: string
  readonly kind: 'human' | 'agent' | 'service' | 'reviewer' | 'gate'
  readonly holder: string
}

export type ShowTicketSessionQueue = {
  readonly id: string
  readonly ticket: string
  readonly number: number
  readonly state: 'pending' | 'sent' | 'removed'
  readonly key: string
  readonly text: string
  readonly by: TicketsEventsActor
  readonly queued_at: string
}

export type ListTicketTurnsTurns = {
  readonly id: string
  readonly ticket: string
  readonly attempt: number
  readonly session: string
  readonly epoch: number
  readonly state: 'leased' | 'delivered' | 'refused' | 'unknown' | 'ended'
  readonly key: string
  readonly text: string
  readonly by: TicketsEventsActor
  readonly code: string | null
  readonly end: 'completed' | 'failed_to_inject' | 'delivery_unknown' | 'runtime_dead' | 'timed_out' | 'interrupted' | 'restarted' | 'supervisor_restart' | 'lease_expired' | 'no_signal' | 'signal_refused' | 'turn_failed' | null
  readonly receipt: string | null
  readonly nonce_expires_at: string
  readonly nonce_spent: boolean
  readonly lease_until: string
  readonly lease?: ListTicketsTicketsClaimLease
  readonly began_at: string
  readonly delivered_at: string | null
  readonly ended_at: string | null
  readonly start_tokens: number | null
  readonly end_tokens: number | null
  readonly duration_ms: number | null
  readonly effort: string | null
  readonly terminal: ListTicketsTicketsTerminal | null
  readonly terminal_text: string | null
}

export interface Answers {
  livez: {
    readonly live: true
  }
  readyz: {
    readonly ready: boolean
    readonly checks: readonly (ReadyzChecks)[]
  }
  healthz: {
    readonly ready: boolean
    readonly checks: readonly (ReadyzChecks)[]
    readonly version: string
  }
  openapi: {
    readonly openapi: string
    readonly [name: string]: unknown
  }
  self: {
    readonly kind: 'admin' | 'operator' | 'reader' | 'worker' | 'run'
    readonly id: string
    readonly name: string
    readonly expires_at: string
  }
  listRuns: {
    readonly runs: readonly (ListRunsRuns)[]
    readonly next: string | null
  }
  startRun: {
    readonly run_id: string
  }
  showRun: {
    readonly run: ListRunsRuns
    readonly running: boolean
    readonly ending: {
      readonly exit_code: number
      readonly report_path: string
      readonly patch: string | null
    } | null
  }
  cancelRun: {
    readonly run_id: string
    readonly cancelled: true
  }
  resumeRun: {
    readonly run_id: string
    readonly resumed: boolean
  }
  showReport: {
    readonly "$schema": 'portcullis/spec/report.schema.json'
    readonly schema_version: 1
    readonly run_id: string
    readonly status: 'pass' | 'fail' | 'blocked'
    readonly reason: 'gate_crashed' | 'gate_timed_out' | 'gate_output_invalid' | 'required_gate_abstained' | 'run_timed_out' | 'interrupted' | 'profile_unknown' | 'purpose_unknown' | 'runtime_purpose_violation' | 'alias_unknown' | 'alias_cycle' | 'alias_too_deep' | 'alias_floating' | 'alias_exhausted' | 'alias_override_invalid' | 'provider_unknown' | 'missing_admission' | 'mismatch' | 'invalid_admission' | 'not_admitted' | 'health_unknown' | 'stale_epoch' | 'provider_unhealthy' | 'provider_auth' | 'provider_model_unknown' | 'provider_rate_limited' | 'provider_overloaded' | 'provider_unreachable' | 'provider_address_refused' | 'provider_timeout' | 'provider_rejected' | 'provider_malformed' | 'answer_truncated' | 'credential_unavailable' | 'tools_not_supported' | 'served_model_mismatch' | 'served_model_unknown' | 'no_model_call' | 'run_unknown' | 'run_ambiguous' | 'websocket_refused' | 'route_not_listed' | 'model_not_admitted' | 'setting_mismatch' | 'provider_tool_not_allowed' | 'request_malformed' | 'request_too_large' | 'dialect_mismatch' | 'budget_exhausted' | 'evidence_unavailable' | 'agent_unknown' | 'agent_not_installed' | 'agent_version_mismatch' | 'isolation_not_reached' | 'permission_mode_unsupported' | 'screen_text' | 'repository_undeclared' | 'agent_setting_unsupported' | 'auth_route_missing' | 'local_config_missing' | 'catalogue_model_unknown' | 'agent_does_not_start' | 'launch_plan_unsafe' | 'limit_not_enforceable' | 'target_repository_refused' | 'workspace_unusable' | 'agent_not_started' | 'agent_not_as_planned' | 'agent_not_ready' | 'missing_identity' | 'identity_mismatch' | 'missing_model' | 'model_mismatch' | 'missing_mcp_server' | 'missing_tool' | 'stale_deployment' | 'agent_probe_error' | 'agent_probe_timeout' | 'provision_timeout' | 'agent_card_url_rejected' | 'agent_lost' | 'agent_stopped' | 'no_ready_agent' | 'runtime_busy' | 'failed_to_inject' | 'transition_illegal' | 'ticket_claimed' | 'ticket_full' | 'change_invalid' | 'claim_stale' | 'no_runtime' | 'runtime_dead' | 'delivery_unknown' | 'signal_invalid' | 'stale_signal' | 'nonce_spent' | 'invalid_question' | 'no_signal' | 'item_unproven' | 'retry_limit_reached' | 'profile_unhealthy' | 'agent_failed' | 'agent_protocol' | 'agent_timed_out' | 'agent_limit_exceeded' | 'done_without_change' | 'protected_changed' | 'work_not_pinned' | 'task_class_unknown' | 'acceptance_unbound' | 'probe_unknown' | 'probe_vacuous' | 'probe_error' | 'probe_failed' | 'probe_timed_out' | 'probe_crashed' | 'probe_changed_workspace' | 'probe_unimplemented' | 'probe_produced_nothing' | 'probe_not_run' | 'targets_not_watched' | 'target_repository_touched' | 'baseline_passes' | 'baseline_inconclusive' | 'baseline_not_compared' | 'not_better_than_baseline' | 'reference_fails' | 'evidence_invalid' | 'approval_missing' | 'review_missing' | 'delivery_missing' | 'delivery_unresolved' | 'delivery_not_on_remote' | 'delivery_not_new' | 'delivery_files_missing' | 'delivery_tests_failed' | 'review_failed' | 'review_waiting' | 'secret_leak' | 'secret_scan_incomplete' | 'ledger_tampered' | null
    readonly summary: string
    readonly refusal: ShowReportRefusal | null
    readonly task: {
      readonly id: string
      readonly title: string
      readonly class: string
      readonly purpose: string
      readonly digest: string
    }
    readonly profile: string
    readonly agent: {
      readonly name: string
      readonly version: string | null
      readonly program_digest: string | null
      readonly mode: 'headless'
    } | null
    readonly model: {
      readonly requested: string | null
      readonly admitted: string | null
      readonly served: readonly (string)[]
      readonly admission_status: 'admitted' | 'missing_admission' | 'mismatch' | 'invalid_admission' | 'not_admitted' | null
      readonly admission_record: ModelAdmissionRecord | null
      readonly stage: string | null
      readonly network: {
        readonly class: string
        readonly external: boolean
        readonly external_record: ModelAdmissionRecord | null
      } | null
      readonly alias: {
        readonly name: string
        readonly steps: readonly (string)[]
        readonly override: string | null
      } | null
    }
    readonly process_started: boolean
    readonly exit: {
      readonly code: number | null
      readonly signal: string | null
      readonly timed_out: boolean
      readonly claimed_status: string | null
    } | null
    readonly backend: string | null
    readonly case_process_started: boolean | null
    readonly case_model_provider: string | null
    readonly case_model: string | null
    readonly case_model_admission_status: 'admitted' | 'missing_admission' | 'mismatch' | 'invalid_admission' | 'not_admitted' | null
    readonly case_observed_fallback_provider: string | null
    readonly case_observed_fallback_model: string | null
    readonly case_bridge_sha256: string | null
    readonly served_provider: string | null
    readonly served_model: string | null
    readonly wire_requests: number
    readonly runtime_failure_class: string | null
    readonly isolation: {
      readonly required: string
      readonly reached: string
      readonly record_complete: boolean
    } | null
    readonly wire: {
      readonly requests: number
      readonly refused: number
      readonly failed: number
      readonly input_tokens: number
      readonly output_tokens: number
      readonly cost_usd: number | null
      readonly first_error: {
        readonly reason: 'gate_crashed' | 'gate_timed_out' | 'gate_output_invalid' | 'required_gate_abstained' | 'run_timed_out' | 'interrupted' | 'profile_unknown' | 'purpose_unknown' | 'runtime_purpose_violation' | 'alias_unknown' | 'alias_cycle' | 'alias_too_deep' | 'alias_floating' | 'alias_exhausted' | 'alias_override_invalid' | 'provider_unknown' | 'missing_admission' | 'mismatch' | 'invalid_admission' | 'not_admitted' | 'health_unknown' | 'stale_epoch' | 'provider_unhealthy' | 'provider_auth' | 'provider_model_unknown' | 'provider_rate_limited' | 'provider_overloaded' | 'provider_unreachable' | 'provider_address_refused' | 'provider_timeout' | 'provider_rejected' | 'provider_malformed' | 'answer_truncated' | 'credential_unavailable' | 'tools_not_supported' | 'served_model_mismatch' | 'served_model_unknown' | 'no_model_call' | 'run_unknown' | 'run_ambiguous' | 'websocket_refused' | 'route_not_listed' | 'model_not_admitted' | 'setting_mismatch' | 'provider_tool_not_allowed' | 'request_malformed' | 'request_too_large' | 'dialect_mismatch' | 'budget_exhausted' | 'evidence_unavailable' | 'agent_unknown' | 'agent_not_installed' | 'agent_version_mismatch' | 'isolation_not_reached' | 'permission_mode_unsupported' | 'screen_text' | 'repository_undeclared' | 'agent_setting_unsupported' | 'auth_route_missing' | 'local_config_missing' | 'catalogue_model_unknown' | 'agent_does_not_start' | 'launch_plan_unsafe' | 'limit_not_enforceable' | 'target_repository_refused' | 'workspace_unusable' | 'agent_not_started' | 'agent_not_as_planned' | 'agent_not_ready' | 'missing_identity' | 'identity_mismatch' | 'missing_model' | 'model_mismatch' | 'missing_mcp_server' | 'missing_tool' | 'stale_deployment' | 'agent_probe_error' | 'agent_probe_timeout' | 'provision_timeout' | 'agent_card_url_rejected' | 'agent_lost' | 'agent_stopped' | 'no_ready_agent' | 'runtime_busy' | 'failed_to_inject' | 'transition_illegal' | 'ticket_claimed' | 'ticket_full' | 'change_invalid' | 'claim_stale' | 'no_runtime' | 'runtime_dead' | 'delivery_unknown' | 'signal_invalid' | 'stale_signal' | 'nonce_spent' | 'invalid_question' | 'no_signal' | 'item_unproven' | 'retry_limit_reached' | 'profile_unhealthy' | 'agent_failed' | 'agent_protocol' | 'agent_timed_out' | 'agent_limit_exceeded' | 'done_without_change' | 'protected_changed' | 'work_not_pinned' | 'task_class_unknown' | 'acceptance_unbound' | 'probe_unknown' | 'probe_vacuous' | 'probe_error' | 'probe_failed' | 'probe_timed_out' | 'probe_crashed' | 'probe_changed_workspace' | 'probe_unimplemented' | 'probe_produced_nothing' | 'probe_not_run' | 'targets_not_watched' | 'target_repository_touched' | 'baseline_passes' | 'baseline_inconclusive' | 'baseline_not_compared' | 'not_better_than_baseline' | 'reference_fails' | 'evidence_invalid' | 'approval_missing' | 'review_missing' | 'delivery_missing' | 'delivery_unresolved' | 'delivery_not_on_remote' | 'delivery_not_new' | 'delivery_files_missing' | 'delivery_tests_failed' | 'review_failed' | 'review_waiting' | 'secret_leak' | 'secret_scan_incomplete' | 'ledger_tampered'
        readonly detail: string | null
      } | null
    }
    readonly workspace: {
      readonly before: string
      readonly after: string
      readonly files_changed: number
      readonly files_left_out: number
      readonly patch_complete: boolean
      readonly insertions: number
      readonly deletions: number
      readonly commits: readonly (string)[]
      readonly files: readonly ({
        readonly path: string
        readonly insertions: number
        readonly deletions: number
      })[]
    } | null
    readonly target_repositories: readonly ({
      readonly path: string
      readonly canary: boolean
      readonly entries: number
      readonly touched: readonly (string)[]
    })[] | null
    readonly acceptance: readonly ({
      readonly id: number
      readonly text: string
      readonly status: 'met' | 'not_met'
      readonly runtime_probe_evidence: readonly (AcceptanceRuntimeProbeEvidence)[]
    })[]
    readonly runtime_probe_evidence: readonly (AcceptanceRuntimeProbeEvidence)[]
    readonly delivery: readonly ({
      readonly name: string
      readonly remote: string
      readonly branch: string
      readonly done_sha: string | null
      readonly command: string
      readonly remote_head: string | null
      readonly searched: readonly (string)[]
      readonly found_in: string | null
      readonly ancestor: boolean
      readonly is_new: boolean
      readonly files: readonly ({
        readonly path: string
        readonly tracked: boolean
        readonly bytes: number
        readonly sha256: string | null
      })[]
      readonly tests: {
        readonly exit_code: number | null
        readonly timed_out: boolean
        readonly count: number | null
        readonly claimed: number | null
        readonly summary: string
      } | null
      readonly difference: string | null
    })[] | null
    readonly review: {
      readonly outcome: 'approved' | 'rejected' | 'waiting' | 'not_asked'
      readonly families_needed: number
      readonly authority: string
      readonly authority_must_agree: boolean
      readonly failures: number
    } | null
    readonly reviews: readonly ({
      readonly review_id: string
      readonly reviewer: string
      readonly kind: 'command' | 'model' | 'human'
      readonly family: string
      readonly advisory: boolean
      readonly counts_as: 'approves' | 'rejects' | 'abstains' | 'failed' | 'advisory' | 'stale' | 'recovered' | 'not_alone'
      readonly verdict: 'PASS' | 'FAIL' | 'ABSTAIN' | null
      readonly said: 'PASS' | 'FAIL' | 'ABSTAIN' | null
      readonly failure: {
        readonly code: string
        readonly text: string
      } | null
      readonly reason: string
      readonly confidence: number | null
      readonly head: string
      readonly source_read_ok: boolean
      readonly diff_read_ok: boolean
      readonly scope: {
        readonly files: number
        readonly files_left_out: number
        readonly diff: string
        readonly diff_whole: boolean
      }
      readonly blocking_count: number
      readonly dropped_blocking_count: number
      readonly claimed_blocking_count: number | null
      readonly findings: readonly ({
        readonly id: string
        readonly file: string | null
        readonly line: number | null
        readonly severity: string
        readonly confidence: number
        readonly text: string
        readonly dropped_by: string | null
      })[]
      readonly requirements: readonly ({
        readonly id: number
        readonly status: 'met' | 'partially_met' | 'not_met'
        readonly reason: string
      })[]
      readonly prior_findings: 'no prior review given' | readonly ({
        readonly id: string
        readonly status: string
      })[]
      readonly question: string | null
      readonly blind: boolean
      readonly recovered: boolean
      readonly requested_model: string | null
      readonly served_model: string | null
      readonly review_run: string | null
      readonly by: string | null
      readonly evidence: string
    })[]
    readonly baseline: {
      readonly untouched: string
      readonly fake: string
      readonly reference: string | null
      readonly comparison: 'better-than-untouched' | 'not-better-than-untouched' | 'not-run'
      readonly checks: readonly ({
        readonly check: string
        readonly untouched: string | null
        readonly fake: string | null
        readonly reference: string | null
        readonly result: string | null
        readonly better: boolean
      })[]
    } | null
    readonly gates: readonly ({
      readonly gate: 'catalog' | 'admission' | 'health' | 'launch' | 'readiness' | 'dispatch' | 'wire' | 'acceptance' | 'report'
      readonly outcome: 'pass' | 'block' | 'abstain'
      readonly reason: 'gate_crashed' | 'gate_timed_out' | 'gate_output_invalid' | 'required_gate_abstained' | 'run_timed_out' | 'interrupted' | 'profile_unknown' | 'purpose_unknown' | 'runtime_purpose_violation' | 'alias_unknown' | 'alias_cycle' | 'alias_too_deep' | 'alias_floating' | 'alias_exhausted' | 'alias_override_invalid' | 'provider_unknown' | 'missing_admission' | 'mismatch' | 'invalid_admission' | 'not_admitted' | 'health_unknown' | 'stale_epoch' | 'provider_unhealthy' | 'provider_auth' | 'provider_model_unknown' | 'provider_rate_limited' | 'provider_overloaded' | 'provider_unreachable' | 'provider_address_refused' | 'provider_timeout' | 'provider_rejected' | 'provider_malformed' | 'answer_truncated' | 'credential_unavailable' | 'tools_not_supported' | 'served_model_mismatch' | 'served_model_unknown' | 'no_model_call' | 'run_unknown' | 'run_ambiguous' | 'websocket_refused' | 'route_not_listed' | 'model_not_admitted' | 'setting_mismatch' | 'provider_tool_not_allowed' | 'request_malformed' | 'request_too_large' | 'dialect_mismatch' | 'budget_exhausted' | 'evidence_unavailable' | 'agent_unknown' | 'agent_not_installed' | 'agent_version_mismatch' | 'isolation_not_reached' | 'permission_mode_unsupported' | 'screen_text' | 'repository_undeclared' | 'agent_setting_unsupported' | 'auth_route_missing' | 'local_config_missing' | 'catalogue_model_unknown' | 'agent_does_not_start' | 'launch_plan_unsafe' | 'limit_not_enforceable' | 'target_repository_refused' | 'workspace_unusable' | 'agent_not_started' | 'agent_not_as_planned' | 'agent_not_ready' | 'missing_identity' | 'identity_mismatch' | 'missing_model' | 'model_mismatch' | 'missing_mcp_server' | 'missing_tool' | 'stale_deployment' | 'agent_probe_error' | 'agent_probe_timeout' | 'provision_timeout' | 'agent_card_url_rejected' | 'agent_lost' | 'agent_stopped' | 'no_ready_agent' | 'runtime_busy' | 'failed_to_inject' | 'transition_illegal' | 'ticket_claimed' | 'ticket_full' | 'change_invalid' | 'claim_stale' | 'no_runtime' | 'runtime_dead' | 'delivery_unknown' | 'signal_invalid' | 'stale_signal' | 'nonce_spent' | 'invalid_question' | 'no_signal' | 'item_unproven' | 'retry_limit_reached' | 'profile_unhealthy' | 'agent_failed' | 'agent_protocol' | 'agent_timed_out' | 'agent_limit_exceeded' | 'done_without_change' | 'protected_changed' | 'work_not_pinned' | 'task_class_unknown' | 'acceptance_unbound' | 'probe_unknown' | 'probe_vacuous' | 'probe_error' | 'probe_failed' | 'probe_timed_out' | 'probe_crashed' | 'probe_changed_workspace' | 'probe_unimplemented' | 'probe_produced_nothing' | 'probe_not_run' | 'targets_not_watched' | 'target_repository_touched' | 'baseline_passes' | 'baseline_inconclusive' | 'baseline_not_compared' | 'not_better_than_baseline' | 'reference_fails' | 'evidence_invalid' | 'approval_missing' | 'review_missing' | 'delivery_missing' | 'delivery_unresolved' | 'delivery_not_on_remote' | 'delivery_not_new' | 'delivery_files_missing' | 'delivery_tests_failed' | 'review_failed' | 'review_waiting' | 'secret_leak' | 'secret_scan_incomplete' | 'ledger_tampered' | null
      readonly message: string
      readonly asked: string | null
      readonly found: string | null
      readonly remedy: string | null
      readonly decided_at: string
      readonly verdict: string
    })[]
    readonly closing: {
      readonly by: string
      readonly gate: string | null
      readonly verdict: string | null
      readonly human_input_required: boolean
    } | null
    readonly terminal_state: {
      readonly contract: 1
      readonly status: 'ok' | 'warning' | 'failed' | 'blocked'
      readonly summary: string
      readonly root_cause: string | null
      readonly safe_retry: string
      readonly stop_condition: string
      readonly human_input_required: boolean
      readonly next_actions: readonly (string)[]
      readonly artifacts: readonly (string)[]
    }
    readonly secret_scan: {
      readonly status: 'clean' | 'leak' | 'incomplete' | 'not-run'
      readonly surfaces: number
      readonly rules: string | null
      readonly known_values: number
    }
    readonly markers: readonly (string)[]
    readonly ledger: {
      readonly rows: number
      readonly root: string
      readonly checkpoint: string | null
      readonly key_id: string | null
    }
    readonly versions: {
      readonly portcullis: string
      readonly node: string
      readonly format: number
    }
    readonly started_at: string
    readonly ended_at: string
  }
  listQueue: {
    readonly entries: readonly (ListQueueEntries)[]
    readonly next: string | null
  }
  queueRun: ListQueueEntries
  showQueued: ListQueueEntries
  showOverview: {
    readonly since: string
    readonly gates: readonly ({
      readonly gate: 'catalog' | 'admission' | 'health' | 'launch' | 'readiness' | 'dispatch' | 'wire' | 'acceptance' | 'report'
      readonly pass: number
      readonly block: number
      readonly abstain: number
    })[]
  }
  showMatrix: {
    readonly profiles: readonly ({
      readonly profile: string
      readonly agent: string
      readonly model: string
      readonly isolation: string
      readonly purposes: readonly ({
        readonly purpose: string
        readonly permitted: boolean
        readonly status: string
        readonly message: string
        readonly resolved: string | null
        readonly details: readonly (readonly [string, string])[]
        readonly refusal: PurposesRefusal | null
      })[]
    })[]
  }
  listAliases: {
    readonly aliases: readonly ({
      readonly alias: string
      readonly profile: string
      readonly purpose: string
      readonly overridden: boolean
      readonly on_unhealthy: 'next-admitted' | 'block' | null
      readonly resolves_to: string | null
      readonly candidates: readonly ({
        readonly pair: string
        readonly steps: readonly (string)[]
        readonly state: 'chosen' | 'asked_first' | 'passed_over' | 'stops' | 'reserve' | 'not_reached'
        readonly reason: 'gate_crashed' | 'gate_timed_out' | 'gate_output_invalid' | 'required_gate_abstained' | 'run_timed_out' | 'interrupted' | 'profile_unknown' | 'purpose_unknown' | 'runtime_purpose_violation' | 'alias_unknown' | 'alias_cycle' | 'alias_too_deep' | 'alias_floating' | 'alias_exhausted' | 'alias_override_invalid' | 'provider_unknown' | 'missing_admission' | 'mismatch' | 'invalid_admission' | 'not_admitted' | 'health_unknown' | 'stale_epoch' | 'provider_unhealthy' | 'provider_auth' | 'provider_model_unknown' | 'provider_rate_limited' | 'provider_overloaded' | 'provider_unreachable' | 'provider_address_refused' | 'provider_timeout' | 'provider_rejected' | 'provider_malformed' | 'answer_truncated' | 'credential_unavailable' | 'tools_not_supported' | 'served_model_mismatch' | 'served_model_unknown' | 'no_model_call' | 'run_unknown' | 'run_ambiguous' | 'websocket_refused' | 'route_not_listed' | 'model_not_admitted' | 'setting_mismatch' | 'provider_tool_not_allowed' | 'request_malformed' | 'request_too_large' | 'dialect_mismatch' | 'budget_exhausted' | 'evidence_unavailable' | 'agent_unknown' | 'agent_not_installed' | 'agent_version_mismatch' | 'isolation_not_reached' | 'permission_mode_unsupported' | 'screen_text' | 'repository_undeclared' | 'agent_setting_unsupported' | 'auth_route_missing' | 'local_config_missing' | 'catalogue_model_unknown' | 'agent_does_not_start' | 'launch_plan_unsafe' | 'limit_not_enforceable' | 'target_repository_refused' | 'workspace_unusable' | 'agent_not_started' | 'agent_not_as_planned' | 'agent_not_ready' | 'missing_identity' | 'identity_mismatch' | 'missing_model' | 'model_mismatch' | 'missing_mcp_server' | 'missing_tool' | 'stale_deployment' | 'agent_probe_error' | 'agent_probe_timeout' | 'provision_timeout' | 'agent_card_url_rejected' | 'agent_lost' | 'agent_stopped' | 'no_ready_agent' | 'runtime_busy' | 'failed_to_inject' | 'transition_illegal' | 'ticket_claimed' | 'ticket_full' | 'change_invalid' | 'claim_stale' | 'no_runtime' | 'runtime_dead' | 'delivery_unknown' | 'signal_invalid' | 'stale_signal' | 'nonce_spent' | 'invalid_question' | 'no_signal' | 'item_unproven' | 'retry_limit_reached' | 'profile_unhealthy' | 'agent_failed' | 'agent_protocol' | 'agent_timed_out' | 'agent_limit_exceeded' | 'done_without_change' | 'protected_changed' | 'work_not_pinned' | 'task_class_unknown' | 'acceptance_unbound' | 'probe_unknown' | 'probe_vacuous' | 'probe_error' | 'probe_failed' | 'probe_timed_out' | 'probe_crashed' | 'probe_changed_workspace' | 'probe_unimplemented' | 'probe_produced_nothing' | 'probe_not_run' | 'targets_not_watched' | 'target_repository_touched' | 'baseline_passes' | 'baseline_inconclusive' | 'baseline_not_compared' | 'not_better_than_baseline' | 'reference_fails' | 'evidence_invalid' | 'approval_missing' | 'review_missing' | 'delivery_missing' | 'delivery_unresolved' | 'delivery_not_on_remote' | 'delivery_not_new' | 'delivery_files_missing' | 'delivery_tests_failed' | 'review_failed' | 'review_waiting' | 'secret_leak' | 'secret_scan_incomplete' | 'ledger_tampered' | null
        readonly why: string
        readonly health: 'healthy' | 'unhealthy' | 'unknown'
        readonly asked_at: string | null
        readonly run_id: string | null
      })[]
      readonly refusal: PurposesRefusal | null
    })[]
    readonly unused: readonly (string)[]
  }
  listKeys: {
    readonly keys: readonly ({
      readonly key_id: string
      readonly algorithm: string
      readonly pem: string
    })[]
  }
  listVerdicts: {
    readonly verdicts: readonly ({
      readonly digest: string
      readonly position: number
      readonly verdict: {
        readonly gate: 'catalog' | 'admission' | 'health' | 'launch' | 'readiness' | 'dispatch' | 'wire' | 'acceptance' | 'report'
        readonly runId: string
        readonly sequence: number
        readonly subject: readonly ({
          readonly name: string
          readonly digest: {
            readonly sha256: string
          }
        })[]
        readonly policy: {
          readonly name: string
          readonly digest: {
            readonly sha256: string
          }
        }
        readonly decidedAt: string
        readonly evidence: readonly (string)[]
        readonly previous: string | null
        readonly outcome: 'pass'
        readonly message: string
        readonly expiresAt: string
      } | {
        readonly gate: 'catalog' | 'admission' | 'health' | 'launch' | 'readiness' | 'dispatch' | 'wire' | 'acceptance' | 'report'
        readonly runId: string
        readonly sequence: number
        readonly subject: readonly ({
          readonly name: string
          readonly digest: {
            readonly sha256: string
          }
        })[]
        readonly policy: {
          readonly name: string
          readonly digest: {
            readonly sha256: string
          }
        }
        readonly decidedAt: string
        readonly evidence: readonly (string)[]
        readonly previous: string | null
        readonly outcome: 'block'
        readonly reason: 'gate_crashed' | 'gate_timed_out' | 'gate_output_invalid' | 'required_gate_abstained' | 'run_timed_out' | 'interrupted' | 'profile_unknown' | 'purpose_unknown' | 'runtime_purpose_violation' | 'alias_unknown' | 'alias_cycle' | 'alias_too_deep' | 'alias_floating' | 'alias_exhausted' | 'alias_override_invalid' | 'provider_unknown' | 'missing_admission' | 'mismatch' | 'invalid_admission' | 'not_admitted' | 'health_unknown' | 'stale_epoch' | 'provider_unhealthy' | 'provider_auth' | 'provider_model_unknown' | 'provider_rate_limited' | 'provider_overloaded' | 'provider_unreachable' | 'provider_address_refused' | 'provider_timeout' | 'provider_rejected' | 'provider_malformed' | 'answer_truncated' | 'credential_unavailable' | 'tools_not_supported' | 'served_model_mismatch' | 'served_model_unknown' | 'no_model_call' | 'run_unknown' | 'run_ambiguous' | 'websocket_refused' | 'route_not_listed' | 'model_not_admitted' | 'setting_mismatch' | 'provider_tool_not_allowed' | 'request_malformed' | 'request_too_large' | 'dialect_mismatch' | 'budget_exhausted' | 'evidence_unavailable' | 'agent_unknown' | 'agent_not_installed' | 'agent_version_mismatch' | 'isolation_not_reached' | 'permission_mode_unsupported' | 'screen_text' | 'repository_undeclared' | 'agent_setting_unsupported' | 'auth_route_missing' | 'local_config_missing' | 'catalogue_model_unknown' | 'agent_does_not_start' | 'launch_plan_unsafe' | 'limit_not_enforceable' | 'target_repository_refused' | 'workspace_unusable' | 'agent_not_started' | 'agent_not_as_planned' | 'agent_not_ready' | 'missing_identity' | 'identity_mismatch' | 'missing_model' | 'model_mismatch' | 'missing_mcp_server' | 'missing_tool' | 'stale_deployment' | 'agent_probe_error' | 'agent_probe_timeout' | 'provision_timeout' | 'agent_card_url_rejected' | 'agent_lost' | 'agent_stopped' | 'no_ready_agent' | 'runtime_busy' | 'failed_to_inject' | 'transition_illegal' | 'ticket_claimed' | 'ticket_full' | 'change_invalid' | 'claim_stale' | 'no_runtime' | 'runtime_dead' | 'delivery_unknown' | 'signal_invalid' | 'stale_signal' | 'nonce_spent' | 'invalid_question' | 'no_signal' | 'item_unproven' | 'retry_limit_reached' | 'profile_unhealthy' | 'agent_failed' | 'agent_protocol' | 'agent_timed_out' | 'agent_limit_exceeded' | 'done_without_change' | 'protected_changed' | 'work_not_pinned' | 'task_class_unknown' | 'acceptance_unbound' | 'probe_unknown' | 'probe_vacuous' | 'probe_error' | 'probe_failed' | 'probe_timed_out' | 'probe_crashed' | 'probe_changed_workspace' | 'probe_unimplemented' | 'probe_produced_nothing' | 'probe_not_run' | 'targets_not_watched' | 'target_repository_touched' | 'baseline_passes' | 'baseline_inconclusive' | 'baseline_not_compared' | 'not_better_than_baseline' | 'reference_fails' | 'evidence_invalid' | 'approval_missing' | 'review_missing' | 'delivery_missing' | 'delivery_unresolved' | 'delivery_not_on_remote' | 'delivery_not_new' | 'delivery_files_missing' | 'delivery_tests_failed' | 'review_failed' | 'review_waiting' | 'secret_leak' | 'secret_scan_incomplete' | 'ledger_tampered'
        readonly message: string
        readonly asked: string
        readonly found: string
        readonly remedy: string
      } | {
        readonly gate: 'catalog' | 'admission' | 'health' | 'launch' | 'readiness' | 'dispatch' | 'wire' | 'acceptance' | 'report'
        readonly runId: string
        readonly sequence: number
        readonly subject: readonly ({
          readonly name: string
          readonly digest: {
            readonly sha256: string
          }
        })[]
        readonly policy: {
          readonly name: string
          readonly digest: {
            readonly sha256: string
          }
        }
        readonly decidedAt: string
        readonly evidence: readonly (string)[]
        readonly previous: string | null
        readonly outcome: 'abstain'
        readonly reason: 'gate_crashed' | 'gate_timed_out' | 'gate_output_invalid' | 'required_gate_abstained' | 'run_timed_out' | 'interrupted' | 'profile_unknown' | 'purpose_unknown' | 'runtime_purpose_violation' | 'alias_unknown' | 'alias_cycle' | 'alias_too_deep' | 'alias_floating' | 'alias_exhausted' | 'alias_override_invalid' | 'provider_unknown' | 'missing_admission' | 'mismatch' | 'invalid_admission' | 'not_admitted' | 'health_unknown' | 'stale_epoch' | 'provider_unhealthy' | 'provider_auth' | 'provider_model_unknown' | 'provider_rate_limited' | 'provider_overloaded' | 'provider_unreachable' | 'provider_address_refused' | 'provider_timeout' | 'provider_rejected' | 'provider_malformed' | 'answer_truncated' | 'credential_unavailable' | 'tools_not_supported' | 'served_model_mismatch' | 'served_model_unknown' | 'no_model_call' | 'run_unknown' | 'run_ambiguous' | 'websocket_refused' | 'route_not_listed' | 'model_not_admitted' | 'setting_mismatch' | 'provider_tool_not_allowed' | 'request_malformed' | 'request_too_large' | 'dialect_mismatch' | 'budget_exhausted' | 'evidence_unavailable' | 'agent_unknown' | 'agent_not_installed' | 'agent_version_mismatch' | 'isolation_not_reached' | 'permission_mode_unsupported' | 'screen_text' | 'repository_undeclared' | 'agent_setting_unsupported' | 'auth_route_missing' | 'local_config_missing' | 'catalogue_model_unknown' | 'agent_does_not_start' | 'launch_plan_unsafe' | 'limit_not_enforceable' | 'target_repository_refused' | 'workspace_unusable' | 'agent_not_started' | 'agent_not_as_planned' | 'agent_not_ready' | 'missing_identity' | 'identity_mismatch' | 'missing_model' | 'model_mismatch' | 'missing_mcp_server' | 'missing_tool' | 'stale_deployment' | 'agent_probe_error' | 'agent_probe_timeout' | 'provision_timeout' | 'agent_card_url_rejected' | 'agent_lost' | 'agent_stopped' | 'no_ready_agent' | 'runtime_busy' | 'failed_to_inject' | 'transition_illegal' | 'ticket_claimed' | 'ticket_full' | 'change_invalid' | 'claim_stale' | 'no_runtime' | 'runtime_dead' | 'delivery_unknown' | 'signal_invalid' | 'stale_signal' | 'nonce_spent' | 'invalid_question' | 'no_signal' | 'item_unproven' | 'retry_limit_reached' | 'profile_unhealthy' | 'agent_failed' | 'agent_protocol' | 'agent_timed_out' | 'agent_limit_exceeded' | 'done_without_change' | 'protected_changed' | 'work_not_pinned' | 'task_class_unknown' | 'acceptance_unbound' | 'probe_unknown' | 'probe_vacuous' | 'probe_error' | 'probe_failed' | 'probe_timed_out' | 'probe_crashed' | 'probe_changed_workspace' | 'probe_unimplemented' | 'probe_produced_nothing' | 'probe_not_run' | 'targets_not_watched' | 'target_repository_touched' | 'baseline_passes' | 'baseline_inconclusive' | 'baseline_not_compared' | 'not_better_than_baseline' | 'reference_fails' | 'evidence_invalid' | 'approval_missing' | 'review_missing' | 'delivery_missing' | 'delivery_unresolved' | 'delivery_not_on_remote' | 'delivery_not_new' | 'delivery_files_missing' | 'delivery_tests_failed' | 'review_failed' | 'review_waiting' | 'secret_leak' | 'secret_scan_incomplete' | 'ledger_tampered'
        readonly message: string
      }
    })[]
  }
  listPictures: {
    readonly pictures: readonly ({
      readonly probe: string
      readonly status: 'passed' | 'failed' | 'timed_out' | 'error' | 'unimplemented' | 'cancelled' | 'needs_approval'
      readonly summary: string
      readonly page: string
      readonly viewport: {
        readonly width: number
        readonly height: number
      }
      readonly image: {
        readonly sha256: string
        readonly width: number
        readonly height: number
      } | null
      readonly compared: PicturesCompared | null
      readonly in_force: PicturesCompared | null
      readonly difference: {
        readonly changed_pixels: number
        readonly changed_share: number
        readonly distance: number
        readonly sha256: string | null
      } | null
      readonly at_most: {
        readonly changed_share: number
        readonly distance: number
      }
    })[]
  }
  listProbeOutputs: {
    readonly probes: readonly ({
      readonly evidence: string
      readonly probe: string
      readonly kind: string
      readonly phase: 'untouched' | 'fake' | 'reference' | 'result'
      readonly status: 'passed' | 'failed' | 'timed_out' | 'error' | 'unimplemented' | 'cancelled' | 'needs_approval'
      readonly stdout: ProbesStdout | null
      readonly stderr: ProbesStdout | null
    })[]
  }
  approveRender: {
    readonly approval_id: string
    readonly probe: string
    readonly sha256: string
    readonly approved_by: string
    readonly approved_at: string
  }
  listAgents: {
    readonly agents: readonly ({
      readonly name: string
      readonly deployment: string
      readonly state: 'provisioning' | 'online' | 'degraded' | 'failed' | 'draining' | 'offline' | 'removed' | null
      readonly reason: string | null
      readonly stage: 'provisioning' | 'register' | 'readiness' | 'serving' | 'ended' | null
      readonly message: string | null
      readonly generation: number | null
      readonly run_id: string | null
      readonly path: 'create' | 'external_create' | 'import' | 'bundle' | 'team' | 'restart' | 'auto_restart' | 'resume' | 'wake' | 'heartbeat_recovery' | 're_register' | 'adoption' | 'configuration_refresh' | 're_proof' | null
      readonly routable: boolean
      readonly proven_until: string | null
      readonly heartbeat_at: string | null
      readonly changed_at: string | null
      readonly head_commit: string | null
      readonly expected: AgentsExpected | null
      readonly observed: AgentsExpected | null
    })[]
    readonly deployments: readonly ({
      readonly deployment: string
      readonly total: number
      readonly healthy: number
      readonly unready: number
    })[]
    readonly next: string | null
  }
  showAgent: {
    readonly name: string
    readonly deployment: string
    readonly state: 'provisioning' | 'online' | 'degraded' | 'failed' | 'draining' | 'offline' | 'removed' | null
    readonly reason: string | null
    readonly stage: 'provisioning' | 'register' | 'readiness' | 'serving' | 'ended' | null
    readonly message: string | null
    readonly generation: number | null
    readonly run_id: string | null
    readonly path: 'create' | 'external_create' | 'import' | 'bundle' | 'team' | 'restart' | 'auto_restart' | 'resume' | 'wake' | 'heartbeat_recovery' | 're_register' | 'adoption' | 'configuration_refresh' | 're_proof' | null
    readonly routable: boolean
    readonly proven_until: string | null
    readonly heartbeat_at: string | null
    readonly changed_at: string | null
    readonly head_commit: string | null
    readonly expected: AgentsExpected | null
    readonly observed: AgentsExpected | null
    readonly conditions: readonly ({
      readonly type: 'Registered' | 'Identity' | 'Model' | 'Tools' | 'Build' | 'Reachable' | 'Ready'
      readonly status: 'True' | 'False' | 'Unknown'
      readonly reason: string
      readonly message: string
      readonly lastTransitionTime: string
      readonly observedGeneration: number
    })[]
    readonly history: {
      readonly complete: true
      readonly steps: readonly ({
        readonly position: number
        readonly name: string
        readonly generation: number
        readonly runId: string
        readonly path: 'create' | 'external_create' | 'import' | 'bundle' | 'team' | 'restart' | 'auto_restart' | 'resume' | 'wake' | 'heartbeat_recovery' | 're_register' | 'adoption' | 'configuration_refresh' | 're_proof'
        readonly from: 'provisioning' | 'online' | 'degraded' | 'failed' | 'draining' | 'offline' | 'removed' | null
        readonly to: 'provisioning' | 'online' | 'degraded' | 'failed' | 'draining' | 'offline' | 'removed'
        readonly stage: 'provisioning' | 'register' | 'readiness' | 'serving' | 'ended'
        readonly reason: 'gate_crashed' | 'gate_timed_out' | 'gate_output_invalid' | 'required_gate_abstained' | 'run_timed_out' | 'interrupted' | 'profile_unknown' | 'purpose_unknown' | 'runtime_purpose_violation' | 'alias_unknown' | 'alias_cycle' | 'alias_too_deep' | 'alias_floating' | 'alias_exhausted' | 'alias_override_invalid' | 'provider_unknown' | 'missing_admission' | 'mismatch' | 'invalid_admission' | 'not_admitted' | 'health_unknown' | 'stale_epoch' | 'provider_unhealthy' | 'provider_auth' | 'provider_model_unknown' | 'provider_rate_limited' | 'provider_overloaded' | 'provider_unreachable' | 'provider_address_refused' | 'provider_timeout' | 'provider_rejected' | 'provider_malformed' | 'answer_truncated' | 'credential_unavailable' | 'tools_not_supported' | 'served_model_mismatch' | 'served_model_unknown' | 'no_model_call' | 'run_unknown' | 'run_ambiguous' | 'websocket_refused' | 'route_not_listed' | 'model_not_admitted' | 'setting_mismatch' | 'provider_tool_not_allowed' | 'request_malformed' | 'request_too_large' | 'dialect_mismatch' | 'budget_exhausted' | 'evidence_unavailable' | 'agent_unknown' | 'agent_not_installed' | 'agent_version_mismatch' | 'isolation_not_reached' | 'permission_mode_unsupported' | 'screen_text' | 'repository_undeclared' | 'agent_setting_unsupported' | 'auth_route_missing' | 'local_config_missing' | 'catalogue_model_unknown' | 'agent_does_not_start' | 'launch_plan_unsafe' | 'limit_not_enforceable' | 'target_repository_refused' | 'workspace_unusable' | 'agent_not_started' | 'agent_not_as_planned' | 'agent_not_ready' | 'missing_identity' | 'identity_mismatch' | 'missing_model' | 'model_mismatch' | 'missing_mcp_server' | 'missing_tool' | 'stale_deployment' | 'agent_probe_error' | 'agent_probe_timeout' | 'provision_timeout' | 'agent_card_url_rejected' | 'agent_lost' | 'agent_stopped' | 'no_ready_agent' | 'runtime_busy' | 'failed_to_inject' | 'transition_illegal' | 'ticket_claimed' | 'ticket_full' | 'change_invalid' | 'claim_stale' | 'no_runtime' | 'runtime_dead' | 'delivery_unknown' | 'signal_invalid' | 'stale_signal' | 'nonce_spent' | 'invalid_question' | 'no_signal' | 'item_unproven' | 'retry_limit_reached' | 'profile_unhealthy' | 'agent_failed' | 'agent_protocol' | 'agent_timed_out' | 'agent_limit_exceeded' | 'done_without_change' | 'protected_changed' | 'work_not_pinned' | 'task_class_unknown' | 'acceptance_unbound' | 'probe_unknown' | 'probe_vacuous' | 'probe_error' | 'probe_failed' | 'probe_timed_out' | 'probe_crashed' | 'probe_changed_workspace' | 'probe_unimplemented' | 'probe_produced_nothing' | 'probe_not_run' | 'targets_not_watched' | 'target_repository_touched' | 'baseline_passes' | 'baseline_inconclusive' | 'baseline_not_compared' | 'not_better_than_baseline' | 'reference_fails' | 'evidence_invalid' | 'approval_missing' | 'review_missing' | 'delivery_missing' | 'delivery_unresolved' | 'delivery_not_on_remote' | 'delivery_not_new' | 'delivery_files_missing' | 'delivery_tests_failed' | 'review_failed' | 'review_waiting' | 'secret_leak' | 'secret_scan_incomplete' | 'ledger_tampered' | null
        readonly message: string
        readonly at: string
      })[]
    }
  }
  startAgent: StartAgent
  restartAgent: StartAgent
  wakeAgent: StartAgent
  registerAgent: StartAgent
  beatAgent: {
    readonly noted: true
  }
  stopAgent: {
    readonly stopped: true
  }
  drainAgent: {
    readonly draining: true
  }
  messageAgent: {
    readonly jsonrpc: '2.0'
    readonly [name: string]: unknown
  }
  listProfiles: {
    readonly profiles: readonly ({
      readonly profile: string
      readonly health: 'healthy' | 'unhealthy' | 'unknown'
      readonly routable: boolean
      readonly probing: boolean
      readonly reason: string | null
      readonly probed_at: string | null
      readonly run_id: string | null
      readonly history: readonly ({
        readonly run_id: string
        readonly at: string
        readonly found: 'healthy' | 'unhealthy' | 'going_on'
        readonly reason: string | null
        readonly as_today: boolean
      })[]
    })[]
  }
  resolveProfile: {
    readonly triple: string
    readonly details: readonly (readonly [string, string])[]
    readonly resolution: {
      readonly allowed: true
      readonly [name: string]: unknown
    }
  }
  probe: {
    readonly exit_code: number
    readonly probes: readonly ({
      readonly profile: string
      readonly run_id: string
      readonly static_ok: boolean
      readonly healthy: boolean
      readonly stage: 'catalog' | 'admission' | 'health' | 'launch' | 'readiness' | 'dispatch' | 'wire' | 'acceptance' | 'report'
      readonly reason: 'gate_crashed' | 'gate_timed_out' | 'gate_output_invalid' | 'required_gate_abstained' | 'run_timed_out' | 'interrupted' | 'profile_unknown' | 'purpose_unknown' | 'runtime_purpose_violation' | 'alias_unknown' | 'alias_cycle' | 'alias_too_deep' | 'alias_floating' | 'alias_exhausted' | 'alias_override_invalid' | 'provider_unknown' | 'missing_admission' | 'mismatch' | 'invalid_admission' | 'not_admitted' | 'health_unknown' | 'stale_epoch' | 'provider_unhealthy' | 'provider_auth' | 'provider_model_unknown' | 'provider_rate_limited' | 'provider_overloaded' | 'provider_unreachable' | 'provider_address_refused' | 'provider_timeout' | 'provider_rejected' | 'provider_malformed' | 'answer_truncated' | 'credential_unavailable' | 'tools_not_supported' | 'served_model_mismatch' | 'served_model_unknown' | 'no_model_call' | 'run_unknown' | 'run_ambiguous' | 'websocket_refused' | 'route_not_listed' | 'model_not_admitted' | 'setting_mismatch' | 'provider_tool_not_allowed' | 'request_malformed' | 'request_too_large' | 'dialect_mismatch' | 'budget_exhausted' | 'evidence_unavailable' | 'agent_unknown' | 'agent_not_installed' | 'agent_version_mismatch' | 'isolation_not_reached' | 'permission_mode_unsupported' | 'screen_text' | 'repository_undeclared' | 'agent_setting_unsupported' | 'auth_route_missing' | 'local_config_missing' | 'catalogue_model_unknown' | 'agent_does_not_start' | 'launch_plan_unsafe' | 'limit_not_enforceable' | 'target_repository_refused' | 'workspace_unusable' | 'agent_not_started' | 'agent_not_as_planned' | 'agent_not_ready' | 'missing_identity' | 'identity_mismatch' | 'missing_model' | 'model_mismatch' | 'missing_mcp_server' | 'missing_tool' | 'stale_deployment' | 'agent_probe_error' | 'agent_probe_timeout' | 'provision_timeout' | 'agent_card_url_rejected' | 'agent_lost' | 'agent_stopped' | 'no_ready_agent' | 'runtime_busy' | 'failed_to_inject' | 'transition_illegal' | 'ticket_claimed' | 'ticket_full' | 'change_invalid' | 'claim_stale' | 'no_runtime' | 'runtime_dead' | 'delivery_unknown' | 'signal_invalid' | 'stale_signal' | 'nonce_spent' | 'invalid_question' | 'no_signal' | 'item_unproven' | 'retry_limit_reached' | 'profile_unhealthy' | 'agent_failed' | 'agent_protocol' | 'agent_timed_out' | 'agent_limit_exceeded' | 'done_without_change' | 'protected_changed' | 'work_not_pinned' | 'task_class_unknown' | 'acceptance_unbound' | 'probe_unknown' | 'probe_vacuous' | 'probe_error' | 'probe_failed' | 'probe_timed_out' | 'probe_crashed' | 'probe_changed_workspace' | 'probe_unimplemented' | 'probe_produced_nothing' | 'probe_not_run' | 'targets_not_watched' | 'target_repository_touched' | 'baseline_passes' | 'baseline_inconclusive' | 'baseline_not_compared' | 'not_better_than_baseline' | 'reference_fails' | 'evidence_invalid' | 'approval_missing' | 'review_missing' | 'delivery_missing' | 'delivery_unresolved' | 'delivery_not_on_remote' | 'delivery_not_new' | 'delivery_files_missing' | 'delivery_tests_failed' | 'review_failed' | 'review_waiting' | 'secret_leak' | 'secret_scan_incomplete' | 'ledger_tampered' | null
      readonly message: string
      readonly pair: string | null
      readonly served_model: string | null
      readonly latency_ms: number | null
      readonly tools: boolean | null
      readonly refusal: ShowReportRefusal | null
    })[]
  }
  verifyRun: {
    readonly what: 'run'
    readonly run_id: string
    readonly verified: boolean
    readonly state: string | null
    readonly accepted: boolean
    readonly runs: number
    readonly rows: number
    readonly verdicts: number
    readonly files: number
    readonly checkpoint: {
      readonly size: number
      readonly at: string
    } | null
    readonly problems: readonly ({
      readonly code: 'row_changed' | 'row_malformed' | 'evidence_invalid' | 'evidence_missing' | 'chain_broken' | 'verdict_not_reproduced' | 'facts_contradict_evidence' | 'state_unjustified' | 'run_unfinished' | 'file_missing' | 'file_changed' | 'file_torn' | 'row_removed' | 'row_inserted' | 'rows_swapped' | 'tail_truncated' | 'row_not_in_tree' | 'wrong_key' | 'signature_invalid' | 'checkpoint_malformed' | 'ledger_forked' | 'ledger_rolled_back' | 'anchor_unproven' | 'bundle_malformed' | 'statement_not_reproduced' | 'format_other'
      readonly where: string
      readonly found: string
    })[]
    readonly remedy: string
    readonly exit_code: number
  }
  listCalls: {
    readonly calls: readonly ({
      readonly number: number
      readonly epoch: number
      readonly purpose: 'agent' | 'health'
      readonly dialect: 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'gemini' | null
      readonly method: string
      readonly route: string
      readonly inference: boolean
      readonly requestedModel: string | null
      readonly effort?: string | null
      readonly context?: string | null
      readonly admitted: {
        readonly provider: string
        readonly model: string
      }
      readonly hops: readonly ({
        readonly admitted: {
          readonly provider: string
          readonly model: string
        }
        readonly reason: 'gate_crashed' | 'gate_timed_out' | 'gate_output_invalid' | 'required_gate_abstained' | 'run_timed_out' | 'interrupted' | 'profile_unknown' | 'purpose_unknown' | 'runtime_purpose_violation' | 'alias_unknown' | 'alias_cycle' | 'alias_too_deep' | 'alias_floating' | 'alias_exhausted' | 'alias_override_invalid' | 'provider_unknown' | 'missing_admission' | 'mismatch' | 'invalid_admission' | 'not_admitted' | 'health_unknown' | 'stale_epoch' | 'provider_unhealthy' | 'provider_auth' | 'provider_model_unknown' | 'provider_rate_limited' | 'provider_overloaded' | 'provider_unreachable' | 'provider_address_refused' | 'provider_timeout' | 'provider_rejected' | 'provider_malformed' | 'answer_truncated' | 'credential_unavailable' | 'tools_not_supported' | 'served_model_mismatch' | 'served_model_unknown' | 'no_model_call' | 'run_unknown' | 'run_ambiguous' | 'websocket_refused' | 'route_not_listed' | 'model_not_admitted' | 'setting_mismatch' | 'provider_tool_not_allowed' | 'request_malformed' | 'request_too_large' | 'dialect_mismatch' | 'budget_exhausted' | 'evidence_unavailable' | 'agent_unknown' | 'agent_not_installed' | 'agent_version_mismatch' | 'isolation_not_reached' | 'permission_mode_unsupported' | 'screen_text' | 'repository_undeclared' | 'agent_setting_unsupported' | 'auth_route_missing' | 'local_config_missing' | 'catalogue_model_unknown' | 'agent_does_not_start' | 'launch_plan_unsafe' | 'limit_not_enforceable' | 'target_repository_refused' | 'workspace_unusable' | 'agent_not_started' | 'agent_not_as_planned' | 'agent_not_ready' | 'missing_identity' | 'identity_mismatch' | 'missing_model' | 'model_mismatch' | 'missing_mcp_server' | 'missing_tool' | 'stale_deployment' | 'agent_probe_error' | 'agent_probe_timeout' | 'provision_timeout' | 'agent_card_url_rejected' | 'agent_lost' | 'agent_stopped' | 'no_ready_agent' | 'runtime_busy' | 'failed_to_inject' | 'transition_illegal' | 'ticket_claimed' | 'ticket_full' | 'change_invalid' | 'claim_stale' | 'no_runtime' | 'runtime_dead' | 'delivery_unknown' | 'signal_invalid' | 'stale_signal' | 'nonce_spent' | 'invalid_question' | 'no_signal' | 'item_unproven' | 'retry_limit_reached' | 'profile_unhealthy' | 'agent_failed' | 'agent_protocol' | 'agent_timed_out' | 'agent_limit_exceeded' | 'done_without_change' | 'protected_changed' | 'work_not_pinned' | 'task_class_unknown' | 'acceptance_unbound' | 'probe_unknown' | 'probe_vacuous' | 'probe_error' | 'probe_failed' | 'probe_timed_out' | 'probe_crashed' | 'probe_changed_workspace' | 'probe_unimplemented' | 'probe_produced_nothing' | 'probe_not_run' | 'targets_not_watched' | 'target_repository_touched' | 'baseline_passes' | 'baseline_inconclusive' | 'baseline_not_compared' | 'not_better_than_baseline' | 'reference_fails' | 'evidence_invalid' | 'approval_missing' | 'review_missing' | 'delivery_missing' | 'delivery_unresolved' | 'delivery_not_on_remote' | 'delivery_not_new' | 'delivery_files_missing' | 'delivery_tests_failed' | 'review_failed' | 'review_waiting' | 'secret_leak' | 'secret_scan_incomplete' | 'ledger_tampered'
        readonly detail: string
        readonly providerStatus: number | null
        readonly durationMs: number
      })[]
      readonly servedModel: string | null
      readonly endpoint: string
      readonly outcome: 'answered' | 'refused' | 'failed'
      readonly reason: 'gate_crashed' | 'gate_timed_out' | 'gate_output_invalid' | 'required_gate_abstained' | 'run_timed_out' | 'interrupted' | 'profile_unknown' | 'purpose_unknown' | 'runtime_purpose_violation' | 'alias_unknown' | 'alias_cycle' | 'alias_too_deep' | 'alias_floating' | 'alias_exhausted' | 'alias_override_invalid' | 'provider_unknown' | 'missing_admission' | 'mismatch' | 'invalid_admission' | 'not_admitted' | 'health_unknown' | 'stale_epoch' | 'provider_unhealthy' | 'provider_auth' | 'provider_model_unknown' | 'provider_rate_limited' | 'provider_overloaded' | 'provider_unreachable' | 'provider_address_refused' | 'provider_timeout' | 'provider_rejected' | 'provider_malformed' | 'answer_truncated' | 'credential_unavailable' | 'tools_not_supported' | 'served_model_mismatch' | 'served_model_unknown' | 'no_model_call' | 'run_unknown' | 'run_ambiguous' | 'websocket_refused' | 'route_not_listed' | 'model_not_admitted' | 'setting_mismatch' | 'provider_tool_not_allowed' | 'request_malformed' | 'request_too_large' | 'dialect_mismatch' | 'budget_exhausted' | 'evidence_unavailable' | 'agent_unknown' | 'agent_not_installed' | 'agent_version_mismatch' | 'isolation_not_reached' | 'permission_mode_unsupported' | 'screen_text' | 'repository_undeclared' | 'agent_setting_unsupported' | 'auth_route_missing' | 'local_config_missing' | 'catalogue_model_unknown' | 'agent_does_not_start' | 'launch_plan_unsafe' | 'limit_not_enforceable' | 'target_repository_refused' | 'workspace_unusable' | 'agent_not_started' | 'agent_not_as_planned' | 'agent_not_ready' | 'missing_identity' | 'identity_mismatch' | 'missing_model' | 'model_mismatch' | 'missing_mcp_server' | 'missing_tool' | 'stale_deployment' | 'agent_probe_error' | 'agent_probe_timeout' | 'provision_timeout' | 'agent_card_url_rejected' | 'agent_lost' | 'agent_stopped' | 'no_ready_agent' | 'runtime_busy' | 'failed_to_inject' | 'transition_illegal' | 'ticket_claimed' | 'ticket_full' | 'change_invalid' | 'claim_stale' | 'no_runtime' | 'runtime_dead' | 'delivery_unknown' | 'signal_invalid' | 'stale_signal' | 'nonce_spent' | 'invalid_question' | 'no_signal' | 'item_unproven' | 'retry_limit_reached' | 'profile_unhealthy' | 'agent_failed' | 'agent_protocol' | 'agent_timed_out' | 'agent_limit_exceeded' | 'done_without_change' | 'protected_changed' | 'work_not_pinned' | 'task_class_unknown' | 'acceptance_unbound' | 'probe_unknown' | 'probe_vacuous' | 'probe_error' | 'probe_failed' | 'probe_timed_out' | 'probe_crashed' | 'probe_changed_workspace' | 'probe_unimplemented' | 'probe_produced_nothing' | 'probe_not_run' | 'targets_not_watched' | 'target_repository_touched' | 'baseline_passes' | 'baseline_inconclusive' | 'baseline_not_compared' | 'not_better_than_baseline' | 'reference_fails' | 'evidence_invalid' | 'approval_missing' | 'review_missing' | 'delivery_missing' | 'delivery_unresolved' | 'delivery_not_on_remote' | 'delivery_not_new' | 'delivery_files_missing' | 'delivery_tests_failed' | 'review_failed' | 'review_waiting' | 'secret_leak' | 'secret_scan_incomplete' | 'ledger_tampered' | null
      readonly detail: string | null
      readonly providerStatus: number | null
      readonly clientStatus: number | null
      readonly stream: boolean
      readonly toolCalls: boolean
      readonly usage: {
        readonly inputTokens: number
        readonly outputTokens: number
        readonly cacheReadTokens: number
        readonly cacheWriteTokens: number
        readonly reasoningTokens: number
      } | null
      readonly costUsd: number | null
      readonly requestBytes: number
      readonly responseBytes: number
      readonly requestDigest: string
      readonly responseDigest: string | null
      readonly providerRequestId: string | null
      readonly startedAt: string
      readonly firstByteMs: number | null
      readonly durationMs: number
      readonly run_id: string
    })[]
    readonly next: string | null
    readonly last: string
  }
  listAdmissions: {
    readonly admissions: readonly ({
      readonly path: string
      readonly sha256: string | null
      readonly pair: string | null
      readonly status: string | null
      readonly runtime: string | null
      readonly stages: readonly (string)[]
      readonly expiresAt: string | null
      readonly expiry: 'expired' | 'soon' | 'later' | 'never' | null
      readonly reviewConditions: readonly (string)[]
      readonly endpointBound: boolean
      readonly problems: readonly (string)[]
      readonly notes: readonly (string)[]
    })[]
  }
  checkAdmission: {
    readonly status: string
    readonly message: string
  }
  listActs: {
    readonly acts: readonly ({
      readonly act: 'cancel_run' | 'revoke_token' | 'start_agent' | 'restart_agent' | 'wake_agent' | 'stop_agent' | 'drain_agent' | 'run_drill' | 'approve_render'
      readonly object: string
      readonly reason: string | null
      readonly actor: string
      readonly kind: string
      readonly holder: string
      readonly position: number
      readonly at: string
      readonly outcome: {
        readonly outcome: 'done' | 'refused' | 'failed'
        readonly code: string | null
        readonly at: string
      } | null
    })[]
    readonly next: string | null
  }
  showDrill: ShowDrill
  beginDrill: ShowDrill
  showDoctor: {
    readonly last: ShowDoctorLast | null
    readonly tampered: string | null
  }
  askDoctor: {
    readonly last: ShowDoctorLast | null
    readonly tampered: string | null
  }
  showTicketBoard: {
    readonly tickets: readonly ({
      readonly id: string
      readonly number: number
      readonly title: string
      readonly state: 'triage' | 'todo' | 'in_progress' | 'review' | 'question' | 'blocked' | 'done' | 'closed'
      readonly reason: string | null
      readonly next_action: {
        readonly code: 'closed' | 'wait' | 'operator' | 'retry'
        readonly at: string | null
      }
      readonly runtime: 'none' | 'starting' | 'ready' | 'running' | 'needs_input' | 'failed' | 'closed'
      readonly priority: 'low' | 'medium' | 'high' | 'urgent'
      readonly kind: 'code' | 'research'
      readonly project: string
      readonly owner: string | null
      readonly claimed_by: string | null
      readonly items: number
      readonly passed: number
      readonly says: string | null
      readonly created_at: string
      readonly state_since: string
      readonly moves: readonly ('triage' | 'todo' | 'in_progress' | 'review' | 'question' | 'blocked' | 'done' | 'closed')[]
    })[]
    readonly next: string | null
  }
  listTickets: {
    readonly tickets: readonly (ListTicketsTickets)[]
    readonly next: string | null
  }
  createTicket: CreateTicket
  exportTickets: {
    readonly portcullis_tickets: 1
    readonly tickets: readonly ({
      readonly ticket: ListTicketsTickets
      readonly events: readonly (TicketsEvents)[]
    })[]
  }
  importTickets: {
    readonly created: readonly (string)[]
    readonly skipped: readonly (string)[]
  }
  claimNextTicket: {
    readonly ticket: ListTicketsTickets | null
  }
  releaseExpiredClaims: {
    readonly released: number
  }
  listTicketPhases: {
    readonly phases: readonly ({
      readonly name: string
      readonly kind: 'agent' | 'review' | 'decision'
      readonly title: string
      readonly task: string | null
    })[]
  }
  showTicket: CreateTicket
  listTicketEvents: {
    readonly events: readonly (TicketsEvents)[]
    readonly next: string | null
  }
  moveTicket: CreateTicket
  commentTicket: CreateTicket
  claimTicket: CreateTicket
  renewTicketClaim: CreateTicket
  triageTicket: CreateTicket
  chooseTicketPhases: CreateTicket
  ticketReviewReady: CreateTicket
  attachToTicket: CreateTicket
  addTicketItems: CreateTicket
  judgeTicketItem: CreateTicket
  closeTicket: CreateTicket
  showTicketSession: {
    readonly ticket: string
    readonly session: string | null
    readonly attached: boolean
    readonly run: string | null
    readonly state: 'none' | 'starting' | 'ready' | 'running' | 'needs_input' | 'failed' | 'closed'
    readonly mode: 'INTERACTIVE' | 'HEADLESS' | null
    readonly agent: string | null
    readonly provider: string | null
    readonly model: string | null
    readonly triple: string | null
    readonly profile: string | null
    readonly cwd: string | null
    readonly epoch: number | null
    readonly pid: number | null
    readonly started_at: string | null
    readonly last_activity_at: string | null
    readonly ended_at: string | null
    readonly duration_ms: number | null
    readonly start_tokens: number | null
    readonly context_tokens: number | null
    readonly effort: string | null
    readonly manifest: { readonly [name: string]: 'native' | 'derived' | 'none' } | null
    readonly attach: readonly (string)[] | null
    readonly permissions: readonly ({
      readonly request: string
      readonly tool: string
    })[]
    readonly queue: readonly (ShowTicketSessionQueue)[]
  }
  showTicketTranscript: {
    readonly ticket: string
    readonly session: string | null
    readonly format: 'terminal' | 'protocol' | null
    readonly content: string
    readonly total_bytes: number
    readonly truncated: boolean
    readonly withheld: string | null
    readonly decides: false
  }
  listTicketTurns: {
    readonly turns: readonly (ListTicketTurnsTurns)[]
  }
  messageTicket: {
    readonly kind: 'turn'
    readonly turn: ListTicketTurnsTurns
  } | {
    readonly kind: 'queued'
    readonly message: ShowTicketSessionQueue
  }
  editQueuedMessage: CreateTicket
  removeQueuedMessage: CreateTicket
  startTicketSession: CreateTicket
  interruptTicketSession: CreateTicket
  restartTicketSession: CreateTicket
  answerTicketSession: CreateTicket
  listTokens: {
    readonly access: readonly ({
      readonly id: string
      readonly kind: 'admin' | 'operator' | 'reader' | 'worker'
      readonly name: string
      readonly createdAt: string
      readonly expiresAt: string
      readonly lastUsedAt: string | null
      readonly revokedAt: string | null
      readonly state: 'live' | 'expired' | 'revoked'
    })[]
    readonly runs: readonly ({
      readonly runId: string
      readonly profile: string
      readonly purpose: string
      readonly expiresAt: string
      readonly state: 'live' | 'expired' | 'revoked' | 'closed'
      readonly calls: number
    })[]
  }
  createToken: {
    readonly token: string
    readonly expires_at: string
    readonly [name: string]: unknown
  }
  revokeToken: {
    readonly id: string
    readonly revoked: true
    readonly changed: boolean
  }
  renewToken: {
    readonly run_id: string
    readonly token: string
    readonly generation: number
    readonly expires_at: string
  }
  listAccess: {
    readonly decisions: readonly ({
      readonly at: string
      readonly surface: 'http' | 'mcp'
      readonly method: string
      readonly route: string
      readonly address: string
      readonly permitted: boolean
      readonly denial: 'no_token' | 'two_tokens' | 'token_malformed' | 'token_unknown' | 'token_expired' | 'token_revoked' | 'session_unknown' | 'kind_not_permitted' | 'attempts_limited' | 'host_refused' | 'origin_refused' | 'route_unknown' | null
      readonly kind: 'admin' | 'operator' | 'reader' | 'worker' | 'run' | null
      readonly holder: string | null
      readonly position: number
    })[]
    readonly next: string | null
  }
  callMcp: {
    readonly jsonrpc: '2.0'
    readonly [name: string]: unknown
  }
}

export interface Bodies {
  startRun: {
    readonly task: string
    readonly profile?: string
    readonly purpose?: string
    readonly backend?: string
    readonly admission?: string
  }
  cancelRun: {
    readonly reason?: string
  }
  queueRun: {
    readonly task: string
    readonly profile?: string
    readonly purpose?: string
    readonly backend?: string
    readonly admission?: string
    readonly attempts: number
    readonly key?: string
  }
  approveRender: {
    readonly sha256: string
    readonly reason: string
  }
  startAgent: {
    readonly path?: 'create' | 'external_create' | 'import' | 'bundle' | 'team' | 'resume' | 'configuration_refresh'
    readonly reason?: string
  }
  restartAgent: {
    readonly reason?: string
  }
  wakeAgent: {
    readonly reason?: string
  }
  registerAgent: {
    readonly card_url: string
  }
  beatAgent: {
    readonly healthy: boolean
  }
  stopAgent: {
    readonly reason?: string
  }
  drainAgent: {
    readonly reason?: string
  }
  messageAgent: {
    readonly jsonrpc: '2.0'
    readonly id: string | number
    readonly method: 'SendMessage' | 'message/send' | 'SendStreamingMessage' | 'message/stream'
    readonly params: {
      readonly message: { readonly [name: string]: unknown }
      readonly [name: string]: unknown
    }
  }
  probe: {
    readonly profiles: 'all' | readonly (string)[]
  }
  beginDrill: {
    readonly reason?: string
  }
  askDoctor: {
    readonly soon: string
  }
  createTicket: {
    readonly title: string
    readonly description: string
    readonly priority: 'low' | 'medium' | 'high' | 'urgent'
    readonly project: string
    readonly kind: 'code' | 'research'
    readonly labels: readonly (string)[]
    readonly source: {
      readonly reference: string
      readonly key: string | null
      readonly url: string | null
    } | null
    readonly acceptance: readonly ({
      readonly id: number
      readonly text: string
    })[]
    readonly repositories: readonly (string)[]
  }
  importTickets: {
    readonly project: string
    readonly kind: 'code' | 'research'
    readonly priority: 'low' | 'medium' | 'high' | 'urgent'
    readonly document: unknown
  }
  claimNextTicket: {
    readonly lease: string
    readonly owners?: readonly (string)[]
  }
  moveTicket: {
    readonly to: 'triage' | 'todo' | 'in_progress' | 'review' | 'question' | 'blocked' | 'done' | 'closed'
    readonly reason: string
  }
  commentTicket: {
    readonly text: string
  }
  claimTicket: {
    readonly lease: string
  }
  renewTicketClaim: {
    readonly epoch: number
    readonly lease: string
  }
  chooseTicketPhases: {
    readonly phases: readonly (string)[]
  }
  ticketReviewReady: {
    readonly epoch?: number
  }
  attachToTicket: {
    readonly name: string
    readonly media_type: string
    readonly content: string
  }
  addTicketItems: {
    readonly items: readonly (string)[]
  }
  judgeTicketItem: {
    readonly verdict: 'pass' | 'fail'
    readonly reason: string
    readonly evidence: readonly (string)[]
  }
  closeTicket: {
    readonly gate: string
    readonly reason: string
    readonly evidence: readonly (string)[]
    readonly runs: readonly (string)[]
  }
  messageTicket: {
    readonly text: string
    readonly onBusy: 'refuse' | 'queue'
  }
  editQueuedMessage: {
    readonly text: string
  }
  startTicketSession: {
    readonly profile: string
    readonly mode: 'INTERACTIVE' | 'HEADLESS'
  }
  interruptTicketSession: {
    readonly reason: string
  }
  restartTicketSession: {
    readonly reason: string
  }
  answerTicketSession: {
    readonly request: string
    readonly allow: boolean
  }
  createToken: {
    readonly kind: 'admin' | 'operator' | 'reader' | 'worker'
    readonly name: string
    readonly expires: string
  } | {
    readonly kind: 'run'
    readonly profile: string
    readonly purpose: string
    readonly expires: string
  }
  revokeToken: {
    readonly reason?: string
  }
  renewToken: {
    readonly expires: string
  }
  callMcp: {
    readonly jsonrpc: '2.0'
    readonly [name: string]: unknown
  }
}
