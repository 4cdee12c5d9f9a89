import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../../contract/clock.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { bytesOf, GrowingTree, type LedgerRow, leafHashText, leafText, openNote, signCheckpoint, type Signer, type VerificationKey } from '../../engine/index.ts'
import { ManyRows } from './many-rows.ts'
import { BLOCK_LEVEL } from './schema.ts'

interface Head {
  readonly size: number
  readonly edge: Uint8Array
  readonly note: string
}

/** A place in the tree that a refused write is taken back to. */
export interface Mark {
  readonly size: number
  readonly edge: Buffer
  /** How many hashes were waiting to be written. */
  readonly waiting: number
}

/**
 * The RFC 6962 tree over all rows of a store, whose head is signed anew by every commit (EVD-03). What is kept in memory is
 * only ever used if the store still holds the head that this process wrote; another head must have been signed with one of our keys.
 */
export class SignedTree {
  readonly #signer: Signer
  readonly #trusted: () => readonly VerificationKey[]
  readonly #clock: Clock
  readonly #statements
  readonly #hashes: ManyRows
  /** Of rows of this transaction; written together with the head that is signed over them. */
  #waiting: (readonly [level: number, number: number, hash: Buffer])[] = []
  #tree = new GrowingTree()
  #note = ''
  #origin = ''
  /** How many rows the store held when it was last looked at: it never holds fewer. */
  #least = 0

  constructor(database: DatabaseSync, options: { readonly signer: Signer; readonly trusted: () => readonly VerificationKey[]; readonly clock: Clock }) {
    this.#signer = options.signer
    this.#trusted = options.trusted
    this.#clock = options.clock
    this.#hashes = new ManyRows(database, 'tree (level, number, hash)')
    this.#statements = {
      head: database.prepare('SELECT size, edge, note FROM head'),
      note: database.prepare('SELECT note FROM head'),
      last: database.prepare('SELECT max(position) AS position FROM entry'),
      move: database.prepare('UPDATE head SET size = ?, edge = ?, note = ?, key_id = ?'),
      keep: database.prepare('INSERT INTO checkpoint (size, note, key_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'),
    }
  }

  /** The head of a store without rows. */
  static first(signer: Signer, at: Date): { readonly note: string; readonly keyId: string } {
    const origin = `portcullis/${randomBytes(16).toString('hex')}`
    return { note: signCheckpoint({ origin, size: 0, root: new GrowingTree().root(), at: at.toISOString() }, signer), keyId: signer.key.keyId }
  }

  /** Takes up the tree where the store has it. Called in the transaction that will add to it. Throws `store_tampered` for a head that none of our keys signed. */
  begin(): void {
    this.#waiting = []
    this.#takeUp()
    const last = Number(this.#statements.last.get()?.['position'] ?? 0)
    if (last !== this.#tree.size) throw tampered(`row ${last} under a signed head over ${this.#tree.size} rows`)
  }

  #takeUp(): void {
    const stored = this.#statements.note.get()?.['note']
    if (stored === this.#note && this.#note !== '') {
      this.#least = this.#tree.size
      return
    }
    const head = this.#statements.head.get() as Head | undefined
    const opened = head === undefined ? undefined : openNote(head.note, this.#trusted())
    if (head === undefined || opened?.ok !== true || opened.checkpoint.size !== head.size) throw tampered(head === undefined ? 'no signed head' : opened?.ok === false ? opened.found : 'a head that is not the signed one')
    const { checkpoint } = opened
    if (this.#origin !== '' && (checkpoint.origin !== this.#origin || checkpoint.size < this.#least)) throw tampered('an older or another ledger than a moment ago')
    const tree = treeOf(head)
    if (tree?.root().equals(checkpoint.root) !== true) throw tampered('a tree that is not the signed one')
    this.#tree = tree
    this.#least = tree.size
    this.#note = head.note
    this.#origin = checkpoint.origin
  }

  /** The position of the next row. */
  get next(): number {
    return this.#tree.size + 1
  }

  /** Adds a row that is written at `next`. */
  add(runId: string, row: LedgerRow): void {
    const text = leafText({ position: this.next, runId, kind: row.kind, sequence: row.verdict?.sequence ?? null, gate: row.verdict?.gate ?? null, outcome: row.verdict?.outcome ?? null, digest: row.digest, body: row.body })
    this.#tree.add(leafHashText(`\u0000${text}`), (level, number, root) => {
      if (level === 0 || level === BLOCK_LEVEL) this.#waiting.push([level, number, bytesOf(root)])
    })
  }

  mark(): Mark {
    return { size: this.#tree.size, edge: this.#tree.edge(), waiting: this.#waiting.length }
  }

  backTo({ size, edge, waiting }: Mark): void {
    this.#waiting.length = waiting
    this.#tree = new GrowingTree(size, edge)
  }

  /** Signs the head, for the transaction that is about to commit. `keep` also keeps it as the checkpoint of a run that ended. */
  sign(keep: boolean): void {
    const { keyId } = this.#signer.key
    this.#hashes.insert(this.#waiting)
    this.#waiting = []
    const note = signCheckpoint({ origin: this.#origin, size: this.#tree.size, root: this.#tree.root(), at: this.#clock().toISOString() }, this.#signer)
    this.#statements.move.run(this.#tree.size, this.#tree.edge(), note, keyId)
    if (keep) this.#statements.keep.run(this.#tree.size, note, keyId)
    this.#note = note
  }

  /** After a transaction that did not commit: what is in memory is not what is stored. */
  forget(): void {
    this.#note = ''
  }
}

function treeOf({ size, edge }: Head): GrowingTree | undefined {
  try {
    return new GrowingTree(size, edge)
  } catch {
    return undefined
  }
}

const tampered = (found: string): PortcullisError =>
  new PortcullisError('store_tampered', { asked: 'the ledger with its head as it was signed', found, remedy: 'Nothing was written. See what is wrong: npx portcullis verify. Find out who could write to the ledger, and start a new one in another state directory.' })
