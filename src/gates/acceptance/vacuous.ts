import type { ApiSmokeProbe, HeadlessRunProbe, ProbeDefinition } from '../catalog/index.ts'
import { faultOfExpression } from './expression.ts'

/** Programs whose end and output say nothing about a workspace, whatever their arguments. */
const CONSTANT = new Set(['true', 'false', ':', 'exit', 'echo', 'printf', 'sleep', 'yes', 'pwd', 'date', 'whoami', 'id', 'hostname', 'uname', 'env', 'printenv', 'return', 'cd', 'export', 'set'])
const SHELLS = new Set(['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh'])
/** Programs that run another one: what follows is what counts. Each with the number of words of its own after its options. */
const WRAPPERS = new Map([['env', 0], ['nice', 0], ['nohup', 0], ['exec', 0], ['command', 0], ['time', 0], ['busybox', 0], ['setsid', 0], ['timeout', 1]])
const INTERPRETERS = new Set(['node', 'nodejs', 'bun', 'python', 'python3', 'ruby', 'perl'])
const CONSTANT_PROGRAM = /^\s*(?:pass|0|1|true|;|(?:process\.|sys\.)?exit\s*\(?\s*\d*\s*\)?|process\.exitCode\s*=\s*\d+|(?:console\.log|print|puts)\s*\(?\s*(?:'[^']*'|"[^"]*"|\d*)\s*\)?)?\s*;?\s*$/

/**
 * Why a definition asserts nothing; undefined if it may assert something. It finds what can be seen in the definition;
 * what cannot, the run on the untouched workspace finds.
 */
export function vacuousReason(definition: ProbeDefinition): string | undefined {
  switch (definition.kind) {
    case 'headless_run':
      return vacuousHeadlessRun(definition)
    case 'api_smoke':
      return vacuousApiSmoke(definition)
    case 'sim_trace':
      return vacuousCommand(definition.command, true)
    case 'render_hash':
      // A picture of a service that serves nothing of the work is what its command can show; of a file, the untouched copy.
      return 'service' in definition.page ? vacuousCommand(definition.page.service.command, false) : undefined
  }
}

function vacuousHeadlessRun({ command, expect }: HeadlessRunProbe): string | undefined {
  const expression = expect.stdout === undefined ? undefined : faultOfExpression(expect.stdout)
  if (expression !== undefined) return `the expression for stdout asserts nothing: ${expression}`
  return vacuousCommand(command, expect.stdout !== undefined)
}

/** What every service must do asserts something already; what is declared beyond that must do so as well. */
function vacuousApiSmoke({ service, requests }: ApiSmokeProbe): string | undefined {
  for (const { method, path, headers } of requests) {
    for (const [name, expression] of Object.entries(headers ?? {})) {
      const found = faultOfExpression(expression)
      if (found !== undefined) return `the expression for the header ${name} of ${method} ${path} asserts nothing: ${found}`
    }
  }
  return vacuousCommand(service.command, false)
}

function vacuousCommand(command: readonly string[], outputMatters: boolean): string | undefined {
  const words = unwrapped(command)
  const program = nameOf(words[0])
  if (program === undefined || CONSTANT.has(program)) return `the command \`${program ?? nameOf(command[0]) ?? ''}\` ends the same way on any workspace`
  const script = scriptOf(words)
  if (script === undefined) return undefined
  if (INTERPRETERS.has(program)) return CONSTANT_PROGRAM.test(script) ? `the program given to ${program} looks at nothing` : undefined
  if (!SHELLS.has(program)) return undefined
  const { commands, endsConstant } = readScript(script, words)
  if (commands.every(isConstant)) return `the script given to ${program} looks at nothing`
  return endsConstant && !outputMatters ? `the script given to ${program} ends the same way whatever its commands do` : undefined
}

/** The words of a command without the programs that only run it. */
function unwrapped(command: readonly string[]): readonly string[] {
  let words = command
  for (;;) {
    const own = WRAPPERS.get(nameOf(words[0]) ?? '')
    if (own === undefined) return words
    let at = 1
    while (words[at]?.startsWith('-') === true || /^\w+=/.test(words[at] ?? '')) at++
    if (words.length <= at + own) return words
    words = words.slice(at + own)
  }
}

const nameOf = (word: string | undefined): string | undefined => word?.split('/').at(-1)

/** The text after `-c`, `-e` or a bundle of letters that ends in one of them. */
function scriptOf(words: readonly string[]): string | undefined {
  const at = words.findIndex((word, index) => index > 0 && (/^-[A-Za-z]*[ce]$/.test(word) || word === '--eval' || word === '--print') && words[index + 1] !== undefined && !/^[-+]/.test(words[index + 1] ?? ''))
  return at < 0 ? undefined : words[at + 1]
}

/** The simple commands of a script, and whether its last one decides the exit code although it looks at nothing. */
function readScript(script: string, words: readonly string[]): { commands: string[]; endsConstant: boolean } {
  const plain = script.replace(/(^|\s)#.*$/gm, '').trim()
  const parts = plain.split(/(\|\||&&|[;\n&|])/)
  const commands = parts.filter((_, index) => index % 2 === 0).map((part) => part.trim()).filter((part) => part !== '')
  const last = commands.at(-1) ?? ''
  const joint = parts[parts.findLastIndex((part, index) => index % 2 === 0 && part.trim() !== '') - 1]
  const stopsAtFailure = words.some((word) => /^-[a-z]*e[a-z]*$/.test(word)) || /\bset\s+-[a-z]*e/.test(plain)
  const ignored = joint === '||' || joint === '|' || joint === '&' || (!stopsAtFailure && (joint === ';' || joint === '\n'))
  return { commands, endsConstant: ignored && isConstant(last) && !/\$[?{]/.test(last) }
}

const isConstant = (command: string): boolean => {
  const words = unwrapped(command.replace(/^[({!\s]+|[)}\s]+$/g, '').split(/\s+/))
  const program = nameOf(words.find((word) => !/^\w+=/.test(word)))
  // What a substitution runs is not looked into.
  return !/\$\(|`/.test(command) && (program === undefined || program === '' || CONSTANT.has(program))
}
