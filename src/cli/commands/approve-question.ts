import { askFor } from '../ask.ts'
import { type CommonOptions, placeOptions, type Register, subcommandOf, withCommonOptions, withExamples } from '../command.ts'
import { printable } from '../terminal.ts'

interface QuestionOptions extends CommonOptions {
  readonly answer?: string
  readonly by?: string
  readonly reviewer?: string
}

/** The answer of a person to what a reviewer must know before it can decide. */
export const register: Register = (program, surface) => {
  const command = subcommandOf(program, 'approve', 'record what a person decides, with name and reason, in the ledger')
    .command('question <run>')
    .description('answer a question of a reviewer, on which a run waits; at a terminal it asks for what is not given')
    .option('--answer <text>', 'the answer, which the reviewer is given')
    .option('--by <who>', 'who answers, as the task class names the people of its authority')
    .option('--reviewer <name>', 'whose question, where several are open')
  withExamples(withCommonOptions(command), 'approve question 20261120T213918Z-r1-string-slugify-1 --answer "Yes, accents may be dropped." --by "J. Doe"').action(async (run: string, options: QuestionOptions) => {
    const terminal = surface.terminal(options.json === true)
    const [answer = '', by = ''] = await askFor([{ option: '--answer', given: options.answer, ask: 'the answer' }, { option: '--by', given: options.by, ask: 'who answers' }], terminal)
    const { approveQuestion } = await import('../../app/people.ts')
    const asked = await approveQuestion(surface.app(options), run, { answer, by, reviewer: options.reviewer })
    if (terminal.json) return terminal.emit(`${JSON.stringify({ run_id: run, ...asked, answer, by }, null, 2)}\n`)
    terminal.line(`  ${printable(asked.reviewer)} asked: ${printable(asked.question)}`)
    terminal.line(`  Have it judge again, with the answer: npx portcullis resume ${run}${placeOptions(options)}`)
  })
}
