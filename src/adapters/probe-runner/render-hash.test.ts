import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFINITIONS } from '../../../test/helpers/probe-samples.ts'
import { probe, workspaceOf } from '../../../test/helpers/probed.ts'
import { verifies } from '../../../test/verifies.ts'
import { BrowserProgram, ProbeDefinition } from '../../gates/catalog/index.ts'

const definition = DEFINITIONS.render_hash
const PAGE = { 'index.html': '<h1>Prices</h1>' }

verifies('ACC-46', 'without a browser the record says what to install, and is no pass', async (context) => {
  const workspace = workspaceOf(context, PAGE)
  const none = await probe(workspace, definition, { environment: { PATH: workspace } })
  assert.deepEqual([none.status, none.payload['error'], none.summary], ['error', 'no browser', 'found no Chromium along PATH: install one (Debian, Ubuntu: apt-get install chromium), or name one in portcullis.yaml under browser'])
  const gone = await probe(workspace, definition, {}, { browser: { program: '/no/such/browser', sandbox: true } })
  assert.deepEqual([gone.status, gone.summary], ['error', 'the browser that portcullis.yaml names is not there, or is no program'])
  const other = await probe(workspace, definition, {}, { browser: { program: '/bin/true', sandbox: false } })
  assert.equal(other.status, 'error')
  assert.match(other.summary, /^the browser could not be started: /)
})

test('a definition without a limit of what may differ, or that lets everything through, is refused', () => {
  const refused = (change: Record<string, unknown>): boolean => !ProbeDefinition.safeParse({ ...definition, ...change }).success
  assert.equal(refused({}), false)
  for (const change of [
    { atMost: undefined }, { atMost: { changedPixels: 0.1 } }, { atMost: { changedPixels: 0.21, distance: 0 } }, { atMost: { changedPixels: 0, distance: 1 } }, { timeout: undefined }, { within: undefined }, { waitFor: undefined }, { viewport: { width: 0, height: 5 } },
    { page: { file: '/etc/passwd' } }, { page: { file: '../index.html' } }, { page: { file: 'a/../../b.html' } }, { page: {} }, { page: { file: 'index.html', path: '/' } },
  ]) assert.equal(refused(change), true, JSON.stringify(change))
  assert.equal(BrowserProgram.safeParse({ program: 'chromium', sandbox: true }).success, false)
})
