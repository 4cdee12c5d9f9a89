import type { ApiSmokePayload, HeadlessRunPayload, SimTracePayload } from '../../src/gates/acceptance/index.ts'
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
  sim_trace: {
    kind: 'sim_trace',
    command: ['node', 'simulate.mjs'],
    timeout: '20s',
    seed: { variable: 'SIM_SEED', value: 7 },
    ticks: { variable: 'SIM_TICKS', count: 20 },
    changes: [{ at: '/position', change: 'increases', times: 5 }],
    invariants: [{ at: '/energy', shape: { type: 'integer', minimum: 0 }, order: 'never-increases' }],
  },
} as const satisfies Partial<Record<ProbeKind, ProbeDefinition>>

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

/** What the payload of a pass is, for each kind. */
export const PASSED_PAYLOADS = { headless_run: headless, api_smoke: apiSmoke, sim_trace: simTrace }
