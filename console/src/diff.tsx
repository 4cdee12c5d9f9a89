import type { ReactNode } from 'react'
import { plain } from './ui.tsx'

const MOST_LINES = 4_000
interface Line { readonly kind: 'file' | 'hunk' | 'add' | 'remove' | 'same' | 'note'; readonly text: string; readonly old: number | undefined; readonly new: number | undefined }

/** A unified diff line by line, with the numbers of both sides. Within a hunk only the counts of its head say what a line is: a removed line may begin like a head. */
export function linesOf(patch: string): readonly Line[] {
  const lines: Line[] = []
  let [oldLine, newLine, oldLeft, newLeft] = [0, 0, 0, 0]
  for (const text of patch.replace(/\n$/, '').split('\n')) {
    const inside = oldLeft > 0 || newLeft > 0
    if (inside && text.startsWith('+')) { lines.push({ kind: 'add', text: text.slice(1), old: undefined, new: newLine++ }); newLeft-- }
    else if (inside && text.startsWith('-')) { lines.push({ kind: 'remove', text: text.slice(1), old: oldLine++, new: undefined }); oldLeft-- }
    else if (inside && (text.startsWith(' ') || text === '')) { lines.push({ kind: 'same', text: text.slice(1), old: oldLine++, new: newLine++ }); oldLeft--; newLeft-- }
    else {
      const head = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(text)
      if (head !== null) [oldLine, oldLeft, newLine, newLeft] = [Number(head[1]), Number(head[2] ?? 1), Number(head[3]), Number(head[4] ?? 1)]
      lines.push({ kind: head !== null ? 'hunk' : text.startsWith('diff ') ? 'file' : 'note', text, old: undefined, new: undefined })
    }
  }
  return lines
}

const SIGNS = { add: '+', remove: '−', same: ' ', file: '', hunk: '', note: '' } as const

export function Diff({ patch }: { readonly patch: string }): ReactNode {
  const lines = linesOf(patch)
  return (
    <div className="diff" tabIndex={0} role="group" aria-label="Patch">
      {lines.slice(0, MOST_LINES).map((line, index) => <div key={index} className={line.kind}><span className="line">{line.old}</span><span className="line">{line.new}</span><span className="sign">{SIGNS[line.kind]}</span><code>{plain(line.text)}</code></div>)}
      {lines.length > MOST_LINES && <div className="note"><code>{(lines.length - MOST_LINES).toLocaleString('en')} lines more in the file</code></div>}
    </div>
  )
}
