import type { ApiSmokePayload, HeadlessRunPayload, RenderHashPayload, SimTracePayload } from '../../src/gates/acceptance/index.ts'
import type { ProbeDefinition, ProbeKind } from '../../src/gates/catalog/index.ts'

const preview = { head: '', tail: '', bytes: 0, sha256: 'e'.repeat(64), truncated: false }
const environment = { environment: ['PATH'], environment_withheld: [] }

/** A sound definition of each kind. */
export const DEFINITIONS = {
  headless_run: { kind: 'headless_run', command: ['npm', 'test'], timeout: '5s', expect: { exitCode: 0 } },
  api_smoke: {
    kind: 'api_smoke',
    timeout: '30s',
    service: { command: ['node', 'server.js'], portVariable: 'PORT', ready: { path: '/health', status: 200, within: '5s' }, stopWithin: '2s' },
    requests: [{ method: 'POST', path: '/notes', body: { text: 'one' }, status: 201, headers: { 'content-type': '^application/json' }, json: { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] } }],
    unknownPath: '/nowhere',
    malformedBody: { method: 'POST', path: '/notes' },
  },
  render_hash: { kind: 'render_hash', timeout: '30s', page: { file: 'index.html' }, viewport: { width: 320, height: 200 }, waitFor: 'load', within: '10s', atMost: { changedPixels: 0.001, distance: 0.02 } },
  sim_trace: {
    kind: 'sim_trace',
    command: ['node', 'simulate.mjs'],
    timeout: '20s',
    seed: { variable: 'SIM_SEED', value: 7 },
    ticks: { variable: 'SIM_TICKS', count: 20 },
    changes: [{ at: '/position', change: 'increases', times: 5 }],
    invariants: [{ at: '/energy', shape: { type: 'integer', minimum: 0 }, order: 'never-increases' }],
  },
} as const satisfies Record<ProbeKind, ProbeDefinition>

const headless: HeadlessRunPayload = { expected: { exit_code: 0, stdout: null }, exit_code: 0, signal: null, stdout_matched: null, error: null, leaked: false, stdout: preview, stderr: preview, ...environment }

const exchange = (purpose: 'declared' | 'unknown_path' | 'malformed_body' | 'afterwards', expected: string, status: number): ApiSmokePayload['exchanges'][number] => ({ purpose, method: 'GET', path: '/', expected, status, bytes: 2, sha256: 'e'.repeat(64), faults: [] })
const apiSmoke: ApiSmokePayload = {
  error: null, declared: 1, ready_after_ms: 20, exchanges: [exchange('declared', '201', 201), exchange('unknown_path', '404', 404), exchange('malformed_body', '4xx', 400), exchange('afterwards', '200', 200)],
  end: { asked: true, exit_code: 0, signal: null, leaked: false }, stdout: preview, stderr: preview, ...environment,
}

const simulated: SimTracePayload['runs'][number] = { exit_code: 0, signal: null, leaked: false, ticks: 20, bytes: 900, digest: 'd'.repeat(64), faults: [] }
const simTrace: SimTracePayload = {
  error: null, seed: 7, ticks: 20, golden: null, runs: [simulated, simulated], changes: [{ at: '/position', change: 'increases', wanted: 5, found: 9, first_tick: 2 }],
  trace_file: null, stdout: preview, stderr: preview, ...environment,
}

const rendered: RenderHashPayload = {
  error: null, browser: { version: '156.0.8078.79', sandboxed: true }, page: 'index.html', viewport: { width: 320, height: 200 }, page_fault: null, page_errors: 0, blocked_requests: 0,
  image: { sha256: 'f'.repeat(64), width: 320, height: 200, colours: 12, file: 'backend/probe-page-result.png' }, approved: { sha256: 'f'.repeat(64), approval: '20261120T213918Z-page-1' },
  difference: { changed_pixels: 32, changed_share: 0.0005, distance: 0.01, file: null }, at_most: { changed_share: 0.001, distance: 0.02 }, end: null, service: false, stdout: null, stderr: null, ...environment,
}

/** What the payload of a pass is, for each kind. */
export const PASSED_PAYLOADS = { headless_run: headless, api_smoke: apiSmoke, render_hash: rendered, sim_trace: simTrace }
