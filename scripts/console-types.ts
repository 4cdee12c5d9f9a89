import * as z from 'zod'

/** As much of JSON Schema as zod writes. What is none of it becomes `unknown`, which the console must look into before it shows it. */
const Schema = z.looseObject({
  $ref: z.string().optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  get anyOf() { return z.array(Schema).optional() },
  get oneOf() { return z.array(Schema).optional() },
  get allOf() { return z.array(Schema).optional() },
  get items() { return z.union([Schema, z.boolean()]).optional() },
  get prefixItems() { return z.array(Schema).optional() },
  get properties() { return z.record(z.string(), Schema).optional() },
  get additionalProperties() { return z.union([Schema, z.boolean()]).optional() },
  required: z.array(z.string()).optional(),
})
type Schema = z.infer<typeof Schema>

const Content = z.record(z.string(), z.object({ schema: Schema.optional() }))
const Operation = z.object({ operationId: z.string(), responses: z.record(z.string(), z.object({ content: Content.optional() })), requestBody: z.object({ content: Content }).optional() })
const Document = z.object({ paths: z.record(z.string(), z.record(z.string(), Operation)), components: z.object({ schemas: z.record(z.string(), Schema) }) })

/** console/src/api-types.ts: the answers and bodies of every operation of openapi.json that speaks JSON, by its id. */
export function consoleTypes(openApi: unknown): string {
  const { paths, components } = Document.parse(openApi)
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods))
  const members = (of: (operation: z.infer<typeof Operation>) => Schema | undefined): string =>
    operations.flatMap((operation) => {
      const schema = of(operation)
      return schema === undefined ? [] : [`  ${operation.operationId}: ${typeOf(schema, '  ')}\n`]
    }).join('')
  const answers = members(({ responses }) => Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1].content?.['application/json']?.schema)
  const bodies = members(({ requestBody }) => requestBody?.content['application/json']?.schema)
  const shapes = Object.entries(components.schemas).map(([name, schema]) => `export type ${name} = ${typeOf(schema, '')}\n\n`).join('')
  return `// Generated from spec/openapi.json by npm run generate; do not edit.\n\n${shapes}export interface Answers {\n${answers}}\n\nexport interface Bodies {\n${bodies}}\n`
}

function typeOf(schema: Schema, indent: string): string {
  if (schema.$ref !== undefined) return schema.$ref.replace('#/components/schemas/', '')
  if ('const' in schema && schema.const !== undefined) return literal(schema.const)
  if (schema.enum !== undefined) return schema.enum.map(literal).join(' | ')
  const parts = schema.anyOf ?? schema.oneOf
  if (parts !== undefined) return [...new Set(parts.map((part) => typeOf(part, indent)))].join(' | ')
  if (schema.allOf !== undefined) return schema.allOf.map((part) => `(${typeOf(part, indent)})`).join(' & ')
  const types = Array.isArray(schema.type) ? schema.type : [schema.type]
  return types.map((type) => plainType(type, schema, indent)).join(' | ')
}

function plainType(type: string | undefined, schema: Schema, indent: string): string {
  switch (type) {
    case 'string':
    case 'boolean':
    case 'null':
      return type
    case 'integer':
    case 'number':
      return 'number'
    case 'array':
      if (schema.prefixItems !== undefined) return `readonly [${schema.prefixItems.map((item) => typeOf(item, indent)).join(', ')}]`
      return `readonly (${typeof schema.items === 'object' ? typeOf(schema.items, indent) : 'unknown'})[]`
    case 'object':
      return objectType(schema, indent)
    case undefined:
    default:
      return 'unknown'
  }
}

function objectType(schema: Schema, indent: string): string {
  const inner = `${indent}  `
  const properties = Object.entries(schema.properties ?? {})
  const named = properties.map(([name, property]) => `${inner}readonly ${/^\w+$/.test(name) ? name : JSON.stringify(name)}${schema.required?.includes(name) === true ? '' : '?'}: ${typeOf(property, inner)}\n`)
  const more = schema.additionalProperties
  // An index signature, because a type that holds itself may not stand in a Record.
  if (properties.length === 0) return `{ readonly [name: string]: ${typeof more === 'object' && Object.keys(more).length > 0 ? typeOf(more, indent) : 'unknown'} }`
  const rest = typeof more === 'object' || more === true ? [`${inner}readonly [name: string]: unknown\n`] : []
  return `{\n${[...named, ...rest].join('')}${indent}}`
}

const literal = (value: unknown): string => (typeof value === 'string' ? `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'` : JSON.stringify(value))
