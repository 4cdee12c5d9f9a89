import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** More rows in one statement save nothing more; each number of rows up to here has a statement of its own. */
const MOST_ROWS = 32

/** Inserts rows many at a time: a statement a row costs as much again as the row. What the store refuses it refuses as ever, row by row. */
export class ManyRows {
  readonly #database: DatabaseSync
  readonly #into: string
  readonly #row: string
  readonly #statements = new Map<number, StatementSync>()

  /** `into` is a table with its columns, as in `entry (position, run_id)`. */
  constructor(database: DatabaseSync, into: string) {
    this.#database = database
    this.#into = into
    this.#row = `(${into.replace(/^[^(]*\(/, '').split(',').map(() => '?').join(', ')})`
    this.#statement(1)
  }

  insert(rows: readonly (readonly (string | number | null | Uint8Array)[])[]): void {
    for (let from = 0; from < rows.length; from += MOST_ROWS) {
      const some = rows.slice(from, from + MOST_ROWS)
      this.#statement(some.length).run(...some.flat())
    }
  }

  #statement(rows: number): StatementSync {
    const known = this.#statements.get(rows)
    if (known !== undefined) return known
    const made = this.#database.prepare(`INSERT INTO ${this.#into} VALUES ${Array.from({ length: rows }, () => this.#row).join(', ')}`)
    this.#statements.set(rows, made)
    return made
  }
}
