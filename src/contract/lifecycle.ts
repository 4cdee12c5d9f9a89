/**
 * The gates of one run, in the order a run meets them. Everything that lists gates derives from this array:
 * the gate type, the schema enum, the store's CHECK, the README table and the import rule.
 */
export const LIFECYCLE = [
  'catalog',
  'admission',
  'health',
  'launch',
  'readiness',
  'dispatch',
  'wire',
  'acceptance',
  'report',
] as const

export type GateName = (typeof LIFECYCLE)[number]

/** What each gate asks, and the proof it hands on. The README table and `portcullis --help` are rendered from this. */
export const GATE_QUESTIONS: Readonly<Record<GateName, { readonly question: string; readonly grants: string }>> = {
  catalog: { question: 'Which exact provider and model does this name mean, and may it be used for this purpose?', grants: 'Resolution' },
  admission: { question: 'Is exactly this pair, at this endpoint, for this stage, admitted by a record in force?', grants: 'Admitted' },
  health: { question: 'Does it answer, as itself, now?', grants: 'Healthy' },
  launch: { question: 'Can the agent be started isolated, with no secret in its reach?', grants: 'LaunchPermit' },
  readiness: { question: 'Is it the agent we meant: program, version, configuration?', grants: 'Ready' },
  dispatch: { question: 'May this message enter this session now, exactly once?', grants: 'Turn' },
  wire: { question: 'Which model did each call ask for, and which one served it?', grants: 'Witnessed' },
  acceptance: { question: 'Does the work hold, by probes, on the pinned digest?', grants: 'Accepted' },
  report: { question: 'Can all of it be shown, checked offline, and shown to hold no secret?', grants: 'Reported' },
}
