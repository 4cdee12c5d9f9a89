import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import * as z from 'zod'

const Value = z.union([z.strictObject({ stringValue: z.string() }), z.strictObject({ intValue: z.string().regex(/^-?\d+$/) }), z.strictObject({ doubleValue: z.number() }), z.strictObject({ boolValue: z.boolean() })])
const Attributes = z.array(z.strictObject({ key: z.string(), value: Value })).transform((list) => Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0] as string | number | boolean])))
const CollectedSpan = z.strictObject({
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  parentSpanId: z.string().regex(/^[0-9a-f]{16}$/).optional(),
  name: z.string().min(1),
  kind: z.union([z.literal(1), z.literal(3)]),
  startTimeUnixNano: z.string().regex(/^\d{19}$/),
  endTimeUnixNano: z.string().regex(/^\d{19}$/),
  attributes: Attributes,
  status: z.strictObject({ code: z.literal(2).optional(), message: z.string().optional() }),
})
export type CollectedSpan = z.infer<typeof CollectedSpan>
const Request = z.strictObject({ resourceSpans: z.array(z.strictObject({ resource: z.strictObject({ attributes: Attributes }), scopeSpans: z.array(z.strictObject({ scope: z.strictObject({ name: z.literal('portcullis'), version: z.string() }), spans: z.array(CollectedSpan).min(1) })) })) })

export interface Collector {
  readonly address: string
  readonly endpoint: string
  readonly spans: CollectedSpan[]
  /** Every body as it came. */
  readonly bodies: string[]
  /** How it answers from now on; undefined takes everything. `hang` answers nothing. */
  behave: ((answer: ServerResponse) => void) | undefined
}

/** A collector of OpenTelemetry that reads what it is sent as strictly as OTLP over HTTP in JSON is written. */
export async function startCollector(context: Pick<TestContext, 'after'>): Promise<Collector> {
  const server = createServer((incoming, answer) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      collector.bodies.push(body)
      if (collector.behave !== undefined) return collector.behave(answer)
      if (incoming.url !== '/v1/traces' || incoming.headers['content-type'] !== 'application/json') return void answer.writeHead(415).end()
      const read = Request.safeParse(JSON.parse(body))
      if (!read.success) return void answer.writeHead(400).end()
      collector.spans.push(...read.data.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)))
      answer.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const collector: Collector = { address: `127.0.0.1:${port}`, endpoint: `http://127.0.0.1:${port}/v1/traces`, spans: [], bodies: [], behave: undefined }
  return collector
}
