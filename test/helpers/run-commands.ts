import { runProgram } from './run-cli.ts'

export interface CommandAnswer {
  readonly code: number
  readonly stdout: string
}

/** Runs the command line once for each list of arguments, in one process: it reads them from its own argument, and prints what came of each. */
const DRIVER = `
const { main } = await import(process.argv[1])
const write = process.stdout.write
const answers = []
for (const args of JSON.parse(process.argv[2])) {
  let stdout = ''
  process.stdout.write = (text) => ((stdout += text), true)
  const code = await main(args)
  process.stdout.write = write
  answers.push({ code, stdout })
}
console.log(JSON.stringify(answers))`

/** What each of these commands answers, in order. A start of Node for each would cost more than all of them. */
export async function runCommands(commands: readonly (readonly string[])[], options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> }): Promise<readonly CommandAnswer[]> {
  const main = new URL('../../src/cli/main.ts', import.meta.url).href
  const { code, stdout, stderr } = await runProgram(process.execPath, ['--input-type=module', '-e', DRIVER, main, JSON.stringify(commands)], options)
  if (code !== 0) throw new Error(`The commands ended with ${code}: ${stderr}`)
  return JSON.parse(stdout) as CommandAnswer[]
}
