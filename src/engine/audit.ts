import { anchorsOf, forked, nameOf, openAnchors, type Trust } from './anchors.ts'
import { type Checkpoint, openNote, parseNote } from './checkpoint.ts'
import { type HashedRow, type LedgerView, leafText, type StoredPage } from './ledger.ts'
import { GrowingTree, hashTextOf, type HashText, leafHash, leafHashText } from './merkle.ts'
import type { Problem } from './verify-chain.ts'

export interface LedgerAudit {
  readonly problems: readonly Problem[]
  readonly rows: number
  /** The signed head; undefined if no trusted key signed it. */
  readonly head: Checkpoint | undefined
}

/** How many rows are named for one kind of change, and remembered to tell it. */
const NAMED = 20
const REMEMBERED = 512
const NOTHING: HashText = '\u0000'.repeat(32)

/** A checkpoint that the rows up to its size must have the root of. */
interface Mark {
  readonly where: string
  readonly size: number
  readonly root: Buffer
}

/**
 * Checks all rows of a ledger against the head that is signed, the checkpoints that it kept and those that others kept.
 * One pass, in memory that does not grow with the ledger.
 */
export async function auditLedger(view: LedgerView, trust: Trust): Promise<LedgerAudit> {
  const opened = openNote(view.head.note, trust.keys)
  const anchors = openAnchors(trust)
  if (!opened.ok) return { problems: [{ code: opened.fault, where: 'head of the ledger', found: opened.found }, ...anchors.problems], rows: view.size, head: undefined }
  const head = opened.checkpoint
  const { problems, own } = anchorsOf(head.origin, anchors.opened)
  const kept = keptMarks(view, head)
  const marks = [...kept.marks, ...own.map((anchor): Mark => ({ where: nameOf(anchor), size: anchor.size, root: anchor.root }))]
  const pass = new Pass(view, head, marks)
  for await (const page of view.pages()) pass.page(page)
  return { problems: [...anchors.problems, ...problems, ...kept.problems, ...pass.end()], rows: pass.rows, head }
}

/** What the ledger kept of itself. Each says what the signed head says as well, so its signature is left to whoever shows it to others. */
function keptMarks(view: LedgerView, head: Checkpoint): { readonly problems: readonly Problem[]; readonly marks: readonly Mark[] } {
  const problems: Problem[] = []
  const marks: Mark[] = []
  for (const { note } of view.kept) {
    const checkpoint = parseNote(note)?.checkpoint
    if (checkpoint === undefined) problems.push({ code: 'checkpoint_malformed', where: 'a checkpoint that was kept', found: 'no checkpoint as this version writes it' })
    else if (checkpoint.origin !== head.origin) problems.push({ code: 'ledger_forked', where: `checkpoint of ${checkpoint.size} rows`, found: `one of ${checkpoint.origin}, in a ledger that is ${head.origin}` })
    else marks.push({ where: `checkpoint of ${checkpoint.size} rows, ${checkpoint.at}`, size: checkpoint.size, root: checkpoint.root })
  }
  return { problems, marks }
}

/** One way through the rows. The stored hashes are what the head is checked against; the rows are what the hashes are checked against. */
class Pass {
  readonly #view: LedgerView
  readonly #head: Checkpoint
  readonly #marks: Mark[]
  readonly #tree = new GrowingTree()
  /** Rows that are not what the hash at their position says. */
  readonly #other: number[] = []
  #others = 0
  readonly #removed: number[] = []
  #removals = 0
  readonly #forks: Problem[] = []
  readonly #looked = new Map<number, HashedRow | undefined>()
  #firstBeyond: number | undefined
  #hashMissing = false
  rows = 0

  constructor(view: LedgerView, head: Checkpoint, marks: readonly Mark[]) {
    this.#view = view
    this.#head = head
    this.#marks = marks.toSorted((a, b) => a.size - b.size)
  }

  page({ rows, hashes }: StoredPage): void {
    const follows = rows[0]?.position === this.#tree.size + 1 && this.#tree.size + rows.length <= this.#head.size
    const known = follows && hashes !== null ? hashTextOf(hashes) : undefined
    for (const [index, { position, text }] of rows.entries()) {
      this.rows += 1
      if (known === undefined) this.#row(position, text)
      else this.#judge(position, leafHashText(text), known.slice(index * 32, index * 32 + 32))
    }
  }

  /** A row of which nothing is known but its position. */
  #row(position: number, text: string): void {
    if (position <= this.#tree.size || position > this.#head.size) {
      this.#firstBeyond ??= position
      return
    }
    while (this.#tree.size + 1 < position) this.#gap()
    const leaf = leafHashText(text)
    const hash = this.#view.hashAt(position)
    if (hash === null) this.#hashMissing = true
    this.#judge(position, leaf, hash === null ? leaf : hashTextOf(hash))
  }

  #judge(position: number, leaf: HashText, hash: HashText): void {
    if (leaf !== hash) {
      this.#others += 1
      if (this.#other.length < REMEMBERED) this.#other.push(position)
    }
    this.#grow(hash)
  }

  /** A position without a row. */
  #gap(): void {
    const position = this.#tree.size + 1
    this.#removals += 1
    if (this.#removed.length < NAMED) this.#removed.push(position)
    const hash = this.#view.hashAt(position)
    if (hash === null) this.#hashMissing = true
    this.#grow(hash === null ? NOTHING : hashTextOf(hash))
  }

  #grow(leaf: HashText): void {
    this.#tree.add(leaf)
    if (this.#marks[0]?.size === this.#tree.size) this.#compare()
  }

  #compare(): void {
    const root = this.#tree.root()
    for (; this.#marks[0]?.size === this.#tree.size; this.#marks.shift()) {
      const [mark] = this.#marks
      if (mark !== undefined && !mark.root.equals(root)) this.#forks.push(forked(mark.where, mark.size))
    }
  }

  end(): Problem[] {
    const last = this.#tree.size
    const removedBefore = this.#removals
    // Beyond the last row, and behind a hash that is not there, another root is no news.
    const forks = this.#hashMissing ? [] : [...this.#forks]
    while (this.#tree.size < this.#head.size) this.#gap()
    const beyond = this.#marks.map((mark): Problem => ({ code: 'ledger_rolled_back', where: mark.where, found: `${this.#head.size} rows at ${this.#head.at}: the ledger was put back to an older one` }))
    const rootHolds = this.#tree.root().equals(this.#head.root)
    const rows = this.#rowProblems(last, removedBefore, rootHolds, forks.length > 0)
    const head = this.#view.size === this.#head.size && (rows.length > 0 || !rootHolds || this.#tree.edge().equals(this.#view.edge)) ? [] : [{ code: 'checkpoint_malformed', where: 'head of the ledger', found: 'beside it stands another size or tree than the signed one' } as const]
    return [...rows, ...forks, ...beyond, ...head]
  }

  #rowProblems(last: number, removedBefore: number, rootHolds: boolean, forked: boolean): Problem[] {
    const short = this.#head.size - last
    const named: Problem[] = []
    const shift = this.#shift()
    if (this.#firstBeyond !== undefined) return [{ code: 'row_inserted', where: rowAt(shift?.by === -1 ? shift.at : this.#firstBeyond), found: `${this.rows} rows, where ${this.#head.size} are signed` }]
    for (const position of this.#removed.slice(0, removedBefore)) named.push({ code: 'row_removed', where: rowAt(position), found: 'no row' })
    if (short > 0) {
      // Rows that moved up to close a gap are not the ones that were cut off.
      const moved = this.#others > 0 || forked
      named.push(moved ? { code: 'row_removed', where: rowAt(shift?.at ?? this.#other[0] ?? last + 1), found: `${last} rows, where ${this.#head.size} are signed` } : { code: 'tail_truncated', where: `after row ${last}`, found: `${short} of ${this.#head.size} rows that are signed are not there` })
      return named
    }
    named.push(...this.#changes())
    if (named.length === 0 && (!rootHolds || this.#hashMissing)) named.push({ code: 'row_changed', where: 'the tree over all rows', found: rootHolds ? 'a hash that is not there' : 'rows and hashes that do not have the signed root' })
    return named
  }

  /** Rows that stand where others belong, and rows that are none of them. */
  #changes(): Problem[] {
    const swapped = new Set<number>()
    const problems: Problem[] = []
    for (const [index, position] of this.#other.entries()) {
      if (swapped.has(position)) continue
      const other = this.#other.slice(index + 1).find((each) => this.#fits(each, position) && this.#fits(position, each))
      if (other !== undefined) swapped.add(other)
      if (problems.length < NAMED) problems.push(other === undefined ? { code: 'row_changed', where: rowAt(position), found: 'it is not the one that was signed' } : { code: 'rows_swapped', where: `rows ${position} and ${other}`, found: 'each stands where the other belongs' })
    }
    return problems
  }

  /** Where rows moved by one place, to close a gap or to make room. */
  #shift(): { readonly at: number; readonly by: 1 | -1 } | undefined {
    for (const position of this.#other.slice(0, NAMED)) {
      for (const by of [1, -1] as const) if (this.#fits(position, position + by)) return { at: by === 1 ? position : position - 1, by }
    }
    return undefined
  }

  /** True if the row at a position is the one whose hash stands at another. */
  #fits(position: number, at: number): boolean {
    const row = this.#rowAt(position)
    const hash = this.#view.hashAt(at)
    return row !== undefined && hash !== null && leafHash(leafText({ ...row, position: at })).equals(hash)
  }

  #rowAt(position: number): HashedRow | undefined {
    if (!this.#looked.has(position)) this.#looked.set(position, this.#view.rowAt(position))
    return this.#looked.get(position)
  }
}

const rowAt = (position: number): string => `row ${position} of the ledger`
