import { type CommonOptions, type Register, withExamples } from '../command.ts'

export const register: Register = (program, surface) => {
  const command = program.command('init [directory]').description('write a commented starter configuration and an example task; overwrites nothing').option('--json', 'print JSON instead of text')
  withExamples(command, 'init', 'init ../new-project').action(async (directory: string | undefined, options: CommonOptions) => {
    const terminal = surface.terminal(options.json === true)
    const { initialise } = await import('../../app.ts')
    const starter = await initialise(surface.app(options), directory ?? '.')
    if (terminal.json) return terminal.emit(`${JSON.stringify(starter, null, 2)}\n`)
    for (const path of starter.written) terminal.line(`  ${terminal.paint('green', '+')} ${path}`)
    terminal.line()
    terminal.line('  Rehearse it without a key and without network:')
    terminal.line(`    npm install --save-dev ${starter.agentPackage}`)
    terminal.line(`    npx portcullis provider --script ${starter.script} --port 4010 &`)
    terminal.line(`    npx portcullis run ${starter.task}`)
    terminal.line()
    terminal.line('  Then name your own provider in portcullis.yaml and have its model approved: npx portcullis admit create --help')
  })
}
