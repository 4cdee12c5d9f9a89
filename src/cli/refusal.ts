import { printable, type Terminal } from './terminal.ts'

/** What was asked, what was found, what to do: under every refusal, on every surface (law 7). */
export function printRefusal(terminal: Terminal, refusal: { readonly asked: string; readonly found: string; readonly remedy: string }): void {
  for (const [label, text] of [['asked', refusal.asked], ['found', refusal.found], ['do', refusal.remedy]] as const) {
    terminal.line(`  ${terminal.paint('dim', label.padEnd(8))} ${printable(text)}`)
  }
}
