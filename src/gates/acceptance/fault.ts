import type { Reason } from '../../contract/reasons.ts'

/** Why a run is not accepted: the reason, and the rest of the refusal. */
export interface Fault {
  readonly reason: Reason
  readonly message: string
  readonly asked: string
  readonly found: string
}

export const fault = (reason: Reason, message: string, asked: string, found: string): Fault => ({ reason, message, asked, found })

/** What to do about each reason of this gate. */
const REMEDIES: Partial<Record<Reason, string>> = {
  probe_crashed: 'Run the task again. If it happens again, look at the run\'s trace.jsonl.',
  agent_timed_out: 'Raise the limits of the profile, or make the task smaller.',
  agent_failed: 'Read the agent\'s output in the run directory; then run the task again.',
  agent_protocol: 'Read the last answer in the agent\'s own log: it must end with the result as the agent\'s prompt asks for it. A model that does not keep to it is too weak for this agent.',
  agent_not_as_planned: 'Find out what writes to the settings of the agent while it runs; what it did under other settings counts for nothing.',
  done_without_change: 'Read the agent\'s output in the run directory: it ended without touching a file.',
  protected_changed: 'Let the agent do its work without touching these files; if they have to change, take them out of `protected` and review the change.',
  work_not_pinned: 'Have the files themselves in the workspace, or links that stay inside; what lies elsewhere can be changed after it was judged.',
  review_missing: 'Have the work reviewed, or use a task class whose completion is product or code.',
  review_failed: 'Read the findings in the report. The work has to change: a rejection stands for this head, and a new run makes a new one.',
  delivery_missing: 'Have the agent name the commit of every repository in its claim file, when it is pushed.',
  delivery_unresolved: 'Push the commit to the remote, or correct the claim; then run the task again.',
  delivery_not_on_remote: 'Have the commit merged into the target branch of the remote; then run the task again.',
  delivery_not_new: 'Have the agent push a commit of its own and claim that one, to a remote that can be asked before it begins and whose branch only grows.',
  delivery_files_missing: 'Commit the files that are claimed, with their content; then run the task again.',
  delivery_tests_failed: 'Run the tests on the pinned commit, and mend what fails; then run the task again.',
  review_waiting: 'Have the named authority look at the work, then: npx portcullis approve review <run>. After that: npx portcullis resume <run>.',
  acceptance_unbound: 'Name a probe for every acceptance item, and at least one for a class that promises a product.',
  probe_produced_nothing: 'Look at the probe runner: it ran and left no record.',
  probe_not_run: 'Run the task again, so that every bound probe is run.',
  evidence_invalid: 'Run the probes again; evidence that does not belong to this run counts for nothing.',
  probe_failed: 'Look at the output of the probe in the report; the work has to change.',
  probe_timed_out: 'Find out why the probe hangs, or raise its timeout.',
  approval_missing: 'Look at what the probe kept in the run directory. If that is how it should be, approve it as the summary says, and run the task again.',
  probe_error: 'Make the probe\'s program available where Portcullis runs, then run the task again.',
  probe_unimplemented: 'Use a probe of another kind; this one has no runner here.',
  probe_changed_workspace: 'Let the probe write outside the workspace, or set allowsWrites in its definition.',
  targets_not_watched: 'Run the task again; a run of this stage counts only if the target repositories were watched.',
  target_repository_touched: 'Find out what read or changed it, the agent or somebody else on this machine; nothing of this run counts.',
  interrupted: 'Run the task again.',
  run_timed_out: 'Raise limits.run of the profile, or find out what took so long: the trace says when each step ended.',
  baseline_passes: 'Tighten the probe until it fails on the untouched workspace; a probe that passes on nothing proves nothing.',
  baseline_inconclusive: 'Make the probe end with a failure on the untouched workspace, within its limit and without an error.',
  baseline_not_compared: 'Run the task again; a result counts only beside what doing nothing achieves in the same run.',
  not_better_than_baseline: 'Find out why the probe passes where nobody worked: something outside the workspace decides it. Let it look at the work alone.',
  reference_fails: 'Correct the reference patch or the probe: the known solution must pass.',
}

/** The remedy for a reason; one that says where to look if the reason has none of its own. */
export const remedyOf = (reason: Reason): string => REMEDIES[reason] ?? 'Read the report of the run.'
