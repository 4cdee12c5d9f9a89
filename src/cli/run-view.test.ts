import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RunView } from './run-view.ts'
import { createTerminal } from './terminal.ts'

/** A terminal of so many columns, and what was written to it. */
function screen(columns: number, environment: Record<string, string> = {}) {
  const written: string[] = []
  let drawn = (): void => undefined
  const frame = new Promise<void>((resolve) => {
    drawn = resolve
  })
  const stdout = {
    isTTY: true,
    columns,
    write: (text: string) => {
      written.push(text)
      if (text.includes('call 3')) drawn()
      return true
    },
  }
  return { view: new RunView(createTerminal({ json: false, stdout, stderr: stdout, environment })), written, frame }
}

const plain = (text: string): string => text.replace(/\u001b\[[\d;]*[mK]/g, '').replaceAll('\r', '').replaceAll('\n', '')

for (const columns of [60, 80, 100, 200]) {
  test(`no line that is drawn again, and no short verdict, is wider than ${columns} columns`, async () => {
    const { view, written, frame } = screen(columns)
    view.began('acceptance')
    view.note(`call 3: asked ${'coder-1'.repeat(40)}`)
    await frame
    view.decided({ gate: 'acceptance', outcome: 'pass', reason: null, message: '1 of 1 met' }, 1_234)
    view.close()
    for (const line of written.map(plain)) assert.ok(line.length <= columns, `${line.length}: ${line}`)
    assert.match(plain(written.at(-1) ?? ''), /^ {2}✔ acceptance {3}1 of 1 met +1\.2 s$/)
  })
}

test('a terminal that does not know its width is taken to have 100 columns', () => {
  const { view, written } = screen(0)
  view.decided({ gate: 'wire', outcome: 'pass', reason: null, message: '1 call' }, 5)
  assert.equal(plain(written.at(-1) ?? '').length, 100)
})

for (const [what, environment] of [['NO_COLOR', { NO_COLOR: '1' }], ['TERM=dumb', { TERM: 'dumb' }]] as const) {
  test(`with ${what} a verdict has no colour`, () => {
    const { view, written } = screen(100, environment)
    view.decided({ gate: 'wire', outcome: 'block', reason: 'no_model_call', message: 'nothing' }, 5)
    assert.match(written.join(''), /✘ wire {9}no_model_call: nothing/)
    assert.doesNotMatch(written.join(''), /\u001b\[\d+m/)
  })
}
