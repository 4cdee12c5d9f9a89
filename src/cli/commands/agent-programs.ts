import type { CheckedCli } from '../../app/agent-clis.ts'
import type { AppOptions } from '../../app/places.ts'
import { printable, type Terminal } from '../terminal.ts'

/** Checks every agent program of this machine, and prints each as soon as it is known. Returns the exit code. */
export async function checkPrograms(terminal: Terminal, app: AppOptions, cancelled: AbortSignal): Promise<number> {
  const { checkClis } = await import('../../app/agent-clis.ts')
  const check = await checkClis(app, { cancelled }, (cli) => (terminal.json ? undefined : printCli(terminal, cli)))
  if (terminal.json) terminal.emit(`${JSON.stringify(check, null, 2)}\n`)
  else terminal.line(`  ${check.verdict}: ${count(check.clis, 'kept')} kept the contract, ${count(check.clis, 'broken')} did not, ${count(check.clis, 'not_installed')} not installed`)
  return check.exit_code
}

const count = (clis: readonly CheckedCli[], contract: CheckedCli['contract']): number => clis.filter((cli) => cli.contract === contract).length

const MARKS = { kept: ['green', '✔'], broken: ['red', '✘'], not_installed: ['dim', '-'] } as const

function printCli(terminal: Terminal, cli: CheckedCli): void {
  const [style, mark] = MARKS[cli.contract]
  terminal.line(`  ${terminal.paint(style, mark)} ${cli.agent.padEnd(14)} ${printable(cli.version ?? 'not installed').padEnd(12)} ${printable(cli.why)}`)
  if (cli.contract === 'not_installed') return
  const level = cli.isolation_obstacle === null ? cli.isolation : `${cli.isolation}, because ${cli.isolation_obstacle}`
  terminal.line(`      ${'isolation'.padEnd(22)}${printable(level ?? 'unknown')}`)
  for (const [name, { declared, proven, how }] of Object.entries(cli.capabilities)) {
    const shown = proven === null ? terminal.paint('dim', 'no') : proven ? terminal.paint('green', 'proven') : terminal.paint('yellow', 'not proven')
    terminal.line(`      ${name.padEnd(22)}${declared.padEnd(9)}${shown}${proven === null ? '' : `, ${printable(how)}`}`)
  }
  terminal.line(`      ${'unnamed models'.padEnd(22)}${cli.unnamed_models.length === 0 ? 'none' : terminal.paint('yellow', cli.unnamed_models.map(printable).join(', '))}`)
  terminal.line(terminal.paint('dim', `      ready after ${cli.ready_ms === null ? 'no time that is known' : `${(cli.ready_ms / 1_000).toFixed(1)} s`}; the check took ${(cli.elapsed_ms / 1_000).toFixed(1)} s`))
}
