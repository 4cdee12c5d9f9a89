import type { AttributeValue, Span } from './conventions.ts'

const KINDS = { internal: 1, client: 3 } as const
const ERROR = 2

/** A request to `/v1/traces` of OTLP/HTTP in its JSON form: bytes as hex, whole numbers and nanoseconds as text. */
export function otlpOf(spans: readonly Span[], version: string): string {
  const attributes = { 'service.name': 'portcullis', 'service.version': version }
  return JSON.stringify({ resourceSpans: [{ resource: { attributes: listed(attributes) }, scopeSpans: [{ scope: { name: 'portcullis', version }, spans: spans.map(spanJson) }] }] })
}

const spanJson = ({ traceId, spanId, parentSpanId, name, kind, startMs, endMs, attributes, error }: Span) => ({
  traceId,
  spanId,
  ...(parentSpanId === undefined ? {} : { parentSpanId }),
  name,
  kind: KINDS[kind],
  startTimeUnixNano: nanoseconds(startMs),
  endTimeUnixNano: nanoseconds(endMs),
  attributes: listed(attributes),
  status: error === undefined ? {} : { code: ERROR, message: error },
})

const nanoseconds = (milliseconds: number): string => String(BigInt(Math.round(milliseconds * 1_000)) * 1_000n)

const listed = (attributes: Readonly<Record<string, AttributeValue>>) => Object.entries(attributes).map(([key, value]) => ({ key, value: valueJson(value) }))

function valueJson(value: AttributeValue) {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}
