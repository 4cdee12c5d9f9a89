import * as z from 'zod'
import { ACCESS_KINDS } from '../contract/access.ts'
import { Problem, PROBLEM_TYPE } from './problem.ts'
import type { Route } from './route.ts'
import { shareSchemas } from './shared-schemas.ts'

/** openapi.json, from the same table and the same shapes that the router is built from. */
export function openApiOf(routes: readonly Route[], version: string): unknown {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route)
  const problem = schemaOf(Problem, 'output')
  const shared = shareSchemas(paths, { Problem: problem, ...RECURSIVE })
  return {
    openapi: '3.1.0',
    info: { title: 'Portcullis', version, description: 'A fail-closed gate for AI agents. Every refusal and fault is a problem (RFC 9457) with a stable code, what was asked, what was found and what to do.', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    paths: shared.paths,
    components: {
      schemas: shared.schemas,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: `A token of npx portcullis tokens create, of one of the kinds ${ACCESS_KINDS.join(', ')}.` },
        session: { type: 'apiKey', in: 'cookie', name: '__Host-portcullis', description: 'A session of the console, made by POST /session.' },
      },
    },
  }
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, $defs: definitions, ...body } = z.toJSONSchema(schema, { io, target: 'draft-2020-12' })
  if (definitions === undefined) return body
  // A shape that holds itself is named by zod within its own schema; the document has one place for names.
  const renamed = (part: object): object => JSON.parse(JSON.stringify(part).replaceAll(/"#\/\$defs\/(\w+)"/g, (_whole, name: string) => `"#/components/schemas/${nameOf(name)}"`)) as object
  for (const [name, definition] of Object.entries(definitions)) {
    const known = (RECURSIVE[nameOf(name)] ??= renamed(definition))
    if (JSON.stringify(known) !== JSON.stringify(renamed(definition))) throw new TypeError('two shapes hold themselves: give each a name of its own')
  }
  return renamed(body)
}

/** Shapes that hold themselves, by name. The only one is any JSON value. */
const RECURSIVE: Record<string, object> = {}

function nameOf(name: string): string {
  if (name !== '__schema0') throw new TypeError(`${name} holds itself: give it a name of its own here`)
  return 'JsonValue'
}

function operationOf(route: Route): object {
  const { parameters, query, body } = route.shapes
  const unsafe = route.method !== 'GET'
  const hasBody = unsafe && JSON.stringify(schemaOf(body, 'input')) !== JSON.stringify(schemaOf(z.strictObject({}), 'input'))
  return {
    operationId: route.id,
    summary: route.summary,
    ...(route.kinds === 'everybody' ? { security: [] } : { security: [{ token: [] }, { session: [] }], 'x-token-kinds': route.kinds }),
    parameters: [...parametersOf(parameters, 'path'), ...parametersOf(query, 'query'), ...(unsafe && route.kinds !== 'everybody' ? [IDEMPOTENCY_KEY] : [])],
    ...(hasBody ? { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } } } : {}),
    responses: {
      [route.answer.status]: { description: route.answer.description, ...(route.answer.contentType === 'none' ? {} : { content: { [route.answer.contentType]: route.answer.schema === undefined ? {} : { schema: schemaOf(route.answer.schema, 'output') } } }) },
      default: { description: 'A refusal or a fault.', content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } } },
    },
  }
}

const IDEMPOTENCY_KEY = { name: 'Idempotency-Key', in: 'header', required: false, description: 'The same request under the same key gets the same answer again, and does nothing a second time.', schema: { type: 'string', minLength: 1, maxLength: 200 } }

const parametersOf = (shape: z.ZodObject, place: 'path' | 'query'): object[] =>
  Object.entries(shape.shape).map(([name, schema]) => ({ name, in: place, required: place === 'path' || !(schema as z.ZodType).safeParse(undefined).success, schema: schemaOf(schema as z.ZodType, 'input') }))
