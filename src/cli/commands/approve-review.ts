import { PortcullisError } from '../../contract/errors.ts'
import { askFor } from '../ask.ts'
import { type CommonOptions, placeOptions, type Register, subcommandOf, withCommonOptions, withExamples } from '../command.ts'
import { printable } from '../terminal.ts'

interface ReviewOptions extends CommonOptions {
  readonly verdict?: string
  readonly by?: string
  readonly reason?: string
  readonly head?: string
}

const VERDICTS = { pass: 'PASS', fail: 'FAIL', abstain: 'ABSTAIN' } as const
const isVerdict = (text: string): text is keyof typeof VERDICTS => Object.hasOwn(VERDICTS, text)

/** The word of a person about work that waits for one, or against work that was accepted. */
export const register: Register = (program, surface) => {
  const command = subcommandOf(program, 'approve', 'record what a person decides, with name and reason, in the ledger')
    .command('review <run>')
    .description('say what the authority thinks of the work of a run that waits for it; at a terminal it asks for what is not given')
    .option('--verdict <verdict>', 'pass, fail or abstain')
    .option('--by <who>', 'who says it, as the task class names the people of its authority')
    .option('--reason <text>', 'why')
    .option('--head <digest>', 'the head that was looked at, as show prints it')
  withExamples(withCommonOptions(command), 'approve review 20261120T213918Z-r1-string-slugify-1 --verdict pass --by "J. Doe" --reason "read it line by line" --head sha256:0f3a5c77d1e2').action(async (run: string, options: ReviewOptions) => {
    const terminal = surface.terminal(options.json === true)
    const [verdict = '', by = '', reason = '', head = ''] = await askFor(
      [
        { option: '--verdict', given: options.verdict, ask: 'pass, fail or abstain' },
        { option: '--by', given: options.by, ask: 'who says it' },
        { option: '--reason', given: options.reason, ask: 'why' },
        { option: '--head', given: options.head, ask: 'the head that was looked at' },
      ],
      terminal,
    )
    if (!isVerdict(verdict)) throw new PortcullisError('usage', { asked: 'pass, fail or abstain', found: JSON.stringify(verdict), remedy: 'Give one of them with --verdict.' })
    const { approveReview } = await import('../../app/people.ts')
    const { review, recordedIn } = await approveReview(surface.app(options), run, { verdict: VERDICTS[verdict], by, reason, head })
    if (terminal.json) return terminal.emit(`${JSON.stringify({ recorded_in: recordedIn, review }, null, 2)}\n`)
    terminal.line(`  ${terminal.paint(verdict === 'pass' ? 'green' : 'yellow', VERDICTS[verdict])} by ${printable(by)} for ${printable(review.reviewer)}, on head ${review.head.slice(0, 12)}`)
    terminal.line(recordedIn === run ? `  Now judge it with everything else: npx portcullis resume ${run}${placeOptions(options)}` : `  ${run} had ended, and its state is final: it is shown as one that needs a corrective run (${recordedIn}).`)
  })
}
