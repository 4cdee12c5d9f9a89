import { createServer } from 'node:http'
import { Counter, Histogram, Registry } from 'prom-client'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import { printPair } from '../../contract/model.ts'
import type { ModelCall } from '../../gates/wire/index.ts'

/** What an operator scrapes. No label holds a run, a token or a text of an agent: each new value would be a series for ever. */
export interface Metrics {
  /** A call whose evidence is durable. */
  recorded(call: ModelCall): void
  /** A call whose evidence could not be stored: it counts as failed, whoever answered. */
  unrecorded(): void
  /** A request to the server that was answered, by its route's pattern. */
  answered(answer: { readonly surface: string; readonly method: string; readonly route: string; readonly status: number; readonly seconds: number }): void
  /** Somebody who was not let in. */
  denied(surface: string, denial: string): void
  /** Spans that the collector of OpenTelemetry took. */
  traced(spans: number): void
  /** Spans that did not arrive there, and why. */
  untraced(spans: number, loss: string): void
  /** What a scraper reads, and its content type. */
  exposition(): Promise<{ readonly contentType: string; readonly text: string }>
  /** Serves `GET /metrics` on loopback. Throws `port_taken`. */
  serve(port: number): Promise<{ readonly address: string; close(): Promise<void> }>
}

const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]

/** Counts the calls of a wire, in the names that Prometheus asks for: base units, `_total` for what only grows. */
export function createMetrics(): Metrics {
  const registers = [new Registry()]
  const [registry = new Registry()] = registers
  const calls = new Counter({ name: 'portcullis_calls_total', help: 'Requests of runs, by what became of them.', labelNames: ['pair', 'outcome', 'reason'], registers })
  const failovers = new Counter({ name: 'portcullis_hops_total', help: 'Tries that did not become the answer, by the pair that was tried.', labelNames: ['pair', 'reason'], registers })
  const tokens = new Counter({ name: 'portcullis_tokens_total', help: 'Tokens that providers reported.', labelNames: ['pair', 'kind'], registers })
  const cost = new Counter({ name: 'portcullis_cost_dollars_total', help: 'US dollars, by the price table; calls without a price are in none.', labelNames: ['pair'], registers })
  const lost = new Counter({ name: 'portcullis_unrecorded_calls_total', help: 'Calls whose evidence could not be stored.', registers })
  const duration = new Histogram({ name: 'portcullis_call_duration_seconds', help: 'From the request to its durable record.', labelNames: ['pair', 'outcome'], buckets: SECONDS, registers })
  const firstByte = new Histogram({ name: 'portcullis_first_byte_seconds', help: 'From the request to the first byte of the provider.', labelNames: ['pair'], buckets: SECONDS, registers })
  const answers = new Histogram({ name: 'portcullis_http_request_duration_seconds', help: 'Requests to the server, until their answer began.', labelNames: ['surface', 'method', 'route', 'status'], buckets: SECONDS, registers })
  const denials = new Counter({ name: 'portcullis_access_denied_total', help: 'Requests that were not let in, by what they were told.', labelNames: ['surface', 'denial'], registers })
  const traced = new Counter({ name: 'portcullis_spans_sent_total', help: 'Spans that the collector of OpenTelemetry took.', registers })
  const untraced = new Counter({ name: 'portcullis_spans_lost_total', help: 'Spans that did not arrive there, by why. The ledger holds what they told.', labelNames: ['loss'], registers })
  return {
    recorded: (call) => {
      const pair = printPair(call.admitted)
      calls.inc({ pair, outcome: call.outcome, reason: call.reason ?? '' })
      for (const hop of call.hops) failovers.inc({ pair: printPair(hop.admitted), reason: hop.reason })
      if (call.usage !== null) {
        tokens.inc({ pair, kind: 'input' }, call.usage.inputTokens)
        tokens.inc({ pair, kind: 'output' }, call.usage.outputTokens)
        tokens.inc({ pair, kind: 'cache_read' }, call.usage.cacheReadTokens)
      }
      if (call.costUsd !== null) cost.inc({ pair }, call.costUsd)
      duration.observe({ pair, outcome: call.outcome }, call.durationMs / 1_000)
      if (call.firstByteMs !== null) firstByte.observe({ pair }, call.firstByteMs / 1_000)
    },
    unrecorded: () => lost.inc(),
    answered: ({ surface, method, route, status, seconds }) => answers.observe({ surface, method, route, status: String(status) }, seconds),
    denied: (surface, denial) => denials.inc({ surface, denial }),
    traced: (spans) => traced.inc(spans),
    untraced: (spans, loss) => untraced.inc({ loss }, spans),
    exposition: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    serve: (port) => serve(registry, port),
  }
}

async function serve(registry: Registry, port: number): Promise<{ readonly address: string; close(): Promise<void> }> {
  const server = createServer((incoming, answer) => {
    if (incoming.method !== 'GET' || incoming.url !== '/metrics') {
      answer.writeHead(404).end()
      return
    }
    registry.metrics().then(
      (text) => answer.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => answer.writeHead(500).end(),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(systemCode(error) === 'EADDRINUSE' ? new PortcullisError('port_taken', { asked: `the metrics on 127.0.0.1:${port}`, found: `port ${port} is in use`, remedy: 'Choose another port, or 0 for any free one.', cause: error }) : error))
    server.listen(port, '127.0.0.1', resolve)
  })
  const bound = server.address()
  return {
    address: `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : port}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
