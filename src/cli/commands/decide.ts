import { askFor } from '../ask.ts'
import { type CommonOptions, type Register, withCommonOptions, withExamples } from '../command.ts'

interface DecideOptions extends CommonOptions {
  readonly status?: string
  readonly class?: string
  readonly pair?: string
  readonly approvedBy?: string
  readonly credentialClass?: string
  readonly networkClass?: string
  readonly review?: string
  readonly evidence?: readonly string[]
}

/** `-` and nothing both mean that provider and model are not decided yet. */
function pairOf(text: string): { provider: string; model: string } {
  if (text === '-') return { provider: '', model: '' }
  const slash = text.indexOf('/')
  return slash < 0 ? { provider: text, model: '' } : { provider: text.slice(0, slash), model: text.slice(slash + 1) }
}

export const register: Register = (program, surface) => {
  const command = program
    .command('decide')
    .description('write down what people decided about a provider; at a terminal it asks for what is not given. A decision admits nothing')
    .option('--status <status>', 'not_decided, external_provider_approved or local_provider_required')
    .option('--class <class>', 'external_anthropic, external_openai_codex or local_case_compatible')
    .option('--pair <provider/model>', 'the exact pair; - while it is not decided')
    .option('--approved-by <text>', 'the human approval or governed route, and where it is written')
    .option('--credential-class <class>', 'the class of the credential, never its value')
    .option('--network-class <class>', 'the class of network that calls may take')
    .option('--review <text>', 'an instant or a condition that forces a review')
    .option('--evidence <reference...>', 'references to evidence, as in run:<id>; evidence itself is refused')
  withExamples(
    withCommonOptions(command),
    'decide --status local_provider_required --class local_case_compatible --pair qwen-local/qwen3.6-35b-a3b --approved-by "J. Doe, 2026-05-31" --credential-class no-secret --network-class local-vllm --review 2026-12-31T00:00:00Z',
  ).action(async (options: DecideOptions) => {
    const terminal = surface.terminal(options.json === true)
    const [status, providerClass, pair = '', approvedBy, credentialClass, networkClass, review] = await askFor(
      [
        { option: '--status', given: options.status, ask: 'not_decided, external_provider_approved or local_provider_required' },
        { option: '--class', given: options.class, ask: 'external_anthropic, external_openai_codex or local_case_compatible' },
        { option: '--pair', given: options.pair, ask: 'the exact provider/model, or - while it is not decided' },
        { option: '--approved-by', given: options.approvedBy, ask: 'who approved it, and where that is written' },
        { option: '--credential-class', given: options.credentialClass, ask: 'the class of the credential, never its value' },
        { option: '--network-class', given: options.networkClass, ask: 'the class of network that calls may take' },
        { option: '--review', given: options.review, ask: 'when or why it must be reviewed' },
      ],
      terminal,
    )
    const { createDecisionRecord } = await import('../../app/admissions.ts')
    const created = await createDecisionRecord(surface.app(options), {
      decision_status: status,
      provider_class: providerClass,
      ...pairOf(pair),
      approval_source: approvedBy,
      credential_source_class: credentialClass,
      allowed_network_class: networkClass,
      review_trigger: review,
      evidence_sources: options.evidence ?? [],
    })
    if (terminal.json) return terminal.emit(`${JSON.stringify(created, null, 2)}\n`)
    terminal.line(`  ${terminal.paint('green', '+')} ${created.path}`)
    terminal.line('  It admits nothing: a pair is admitted by its own record (npx portcullis admit create).')
  })
}
