import '@xterm/xterm/css/xterm.css'
import { Terminal as XTerm } from '@xterm/xterm'
import { type ReactNode, useEffect, useRef } from 'react'
import { harmlessBytes } from './terminal-text.ts'

/** The policy of the page lets no style element through, which the terminal makes for its theme: its rules are adopted as a sheet instead. */
function adoptStyles(): void {
  const create = document.createElement.bind(document)
  const made = (name: string, options?: ElementCreationOptions): HTMLElement => {
    if (name !== 'style') return create(name, options)
    // Even an empty style element would be refused, so another one stands in its place.
    const element = create('span')
    element.hidden = true
    Object.defineProperty(element, 'textContent', sheetOf())
    return element
  }
  Object.defineProperty(document, 'createElement', { value: made, configurable: true })
}

function sheetOf(): PropertyDescriptor {
  const sheet = new CSSStyleSheet()
  document.adoptedStyleSheets.push(sheet)
  let held = ''
  return { get: () => held, set: (text: string) => { held = text; sheet.replaceSync(text) } }
}

adoptStyles()

const COLUMNS = 100
const ROWS = 24
const KEPT_LINES = 5_000

/** A terminal that shows and takes nothing: no key goes anywhere, no title, link or clipboard of it has any effect. */
export function Terminal({ content, truncated }: { readonly content: string; readonly truncated: boolean }): ReactNode {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const held = place.current
    if (held === null) return
    const terminal = new XTerm({ cols: COLUMNS, rows: ROWS, scrollback: KEPT_LINES, disableStdin: true, convertEol: true, cursorBlink: false, screenReaderMode: true, fontSize: 12, linkHandler: { activate: () => undefined } })
    // What is stripped already is refused a second time.
    for (const code of [0, 1, 2, 4, 7, 8, 9, 10, 11, 12, 52, 104, 133, 777, 1337]) terminal.parser.registerOscHandler(code, () => true)
    terminal.open(held)
    terminal.write(harmlessBytes(content))
    return () => terminal.dispose()
  }, [content])
  return <>{truncated && <p className="soft">Its beginning is left out here; all of it is in the file.</p>}<div className="terminal scroll" ref={place} data-terminal tabIndex={0} role="group" aria-label="Raw console" /></>
}
