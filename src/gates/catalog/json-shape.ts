import * as z from 'zod'

const Count = z.int().nonnegative().max(1_000_000)

/**
 * What a JSON value must look like: the part of JSON Schema that always ends quickly and asserts what it says. A type is
 * required everywhere, because a schema without one lets anything through, and so is a property that is required: a name
 * that nothing describes would be one that nothing looks at.
 */
export type JsonShape =
  | { readonly type: 'object'; readonly properties?: Readonly<Record<string, JsonShape>> | undefined; readonly required?: readonly string[] | undefined; readonly additionalProperties?: false | undefined }
  | { readonly type: 'array'; readonly items?: JsonShape | undefined; readonly minItems?: number | undefined; readonly maxItems?: number | undefined }
  | { readonly type: 'string'; readonly const?: string | undefined; readonly enum?: readonly string[] | undefined; readonly minLength?: number | undefined; readonly maxLength?: number | undefined }
  | { readonly type: 'number' | 'integer'; readonly const?: number | undefined; readonly enum?: readonly number[] | undefined; readonly minimum?: number | undefined; readonly maximum?: number | undefined }
  | { readonly type: 'boolean'; readonly const?: boolean | undefined }
  | { readonly type: 'null' }

const ObjectShape = z
  .strictObject({
    type: z.literal('object'),
    get properties() {
      return z.record(z.string().min(1).max(200).regex(/^(?!__proto__$)/, 'expected another name than __proto__'), JsonShape).optional()
    },
    required: z.array(z.string()).min(1).max(100).optional(),
    additionalProperties: z.literal(false).optional().describe('No other properties than those that are named.'),
  })
  .refine(({ properties, required }) => (required ?? []).every((name) => Object.hasOwn(properties ?? {}, name)), 'expected every required property to be described under properties')

const ArrayShape = z.strictObject({
  type: z.literal('array'),
  get items() {
    return JsonShape.optional()
  },
  minItems: Count.optional(),
  maxItems: Count.optional(),
})
const StringShape = z.strictObject({ type: z.literal('string'), const: z.string().optional(), enum: z.array(z.string()).min(1).max(100).optional(), minLength: Count.optional(), maxLength: Count.optional() })
const NumberShape = z.strictObject({ type: z.enum(['number', 'integer']), const: z.number().optional(), enum: z.array(z.number()).min(1).max(100).optional(), minimum: z.number().optional(), maximum: z.number().optional() })

export const JsonShape: z.ZodType<JsonShape> = z
  .lazy(() => z.discriminatedUnion('type', [ObjectShape, ArrayShape, StringShape, NumberShape, z.strictObject({ type: z.literal('boolean'), const: z.boolean().optional() }), z.strictObject({ type: z.literal('null') })]))
  .meta({ id: 'JsonShape', description: 'What a JSON value must look like: JSON Schema with type, properties, required, additionalProperties, items, const, enum and limits.' })

/** What is wrong with a value, one sentence each, at most `most` of them; empty if it has the shape. Names places, never quotes the value. */
export function faultsOfShape(shape: JsonShape, value: unknown, most: number): string[] {
  const faults: string[] = []
  check(shape, value, '', (fault) => {
    if (faults.length < most) faults.push(fault)
    return faults.length < most
  })
  return faults
}

/** Reports a fault; false if no more are wanted. */
type Report = (fault: string) => boolean

function check(shape: JsonShape, value: unknown, at: string, report: Report): boolean {
  const place = at === '' ? 'the value' : at
  const found = typeOf(value)
  if (found !== shape.type && !(shape.type === 'number' && found === 'integer')) return report(`${place} is ${found === 'undefined' ? 'missing' : withArticle(found)}, not ${withArticle(shape.type)}`)
  switch (shape.type) {
    case 'object':
      return checkObject(shape, value, at, report)
    case 'array':
      return checkArray(shape, value, at, report)
    case 'string':
      return checkOneOf(shape, value, place, report) && checkRange(typeof value === 'string' ? value.length : 0, shape.minLength, shape.maxLength, `the length of ${place}`, report)
    case 'number':
    case 'integer':
      return checkOneOf(shape, value, place, report) && checkRange(Number(value), shape.minimum, shape.maximum, place, report)
    case 'boolean':
      return checkOneOf(shape, value, place, report)
    case 'null':
      return true
  }
}

function checkObject(shape: Extract<JsonShape, { type: 'object' }>, value: unknown, at: string, report: Report): boolean {
  const entries = new Map(Object.entries(value as object))
  for (const [name, inner] of Object.entries(shape.properties ?? {})) {
    const needed = shape.required?.includes(name) === true
    if (!entries.has(name) && !needed) continue
    if (!check(inner, entries.get(name), `${at}/${name}`, report)) return false
  }
  if (shape.additionalProperties !== false) return true
  const others = [...entries.keys()].filter((name) => !Object.hasOwn(shape.properties ?? {}, name)).length
  return others === 0 || report(`${at === '' ? 'the value' : at} has ${others === 1 ? 'a property' : `${others} properties`} that nobody named`)
}

function checkArray(shape: Extract<JsonShape, { type: 'array' }>, value: unknown, at: string, report: Report): boolean {
  const elements: readonly unknown[] = Array.isArray(value) ? value : []
  if (!checkRange(elements.length, shape.minItems, shape.maxItems, `the number of items of ${at === '' ? 'the value' : at}`, report)) return false
  const { items } = shape
  return items === undefined || elements.every((element, index) => check(items, element, `${at}/${index}`, report))
}

function checkOneOf(shape: { readonly const?: unknown; readonly enum?: readonly unknown[] | undefined }, value: unknown, place: string, report: Report): boolean {
  if (shape.const !== undefined && value !== shape.const) return report(`${place} is not ${JSON.stringify(shape.const)}`)
  if (shape.enum !== undefined && !shape.enum.includes(value)) return report(`${place} is none of ${JSON.stringify(shape.enum)}`)
  return true
}

function checkRange(number: number, least: number | undefined, most: number | undefined, what: string, report: Report): boolean {
  if (least !== undefined && number < least) return report(`${what} is ${number}, less than ${least}`)
  if (most !== undefined && number > most) return report(`${what} is ${number}, more than ${most}`)
  return true
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value
}

const withArticle = (type: string): string => (type === 'null' ? 'null' : `${/^[aio]/.test(type) ? 'an' : 'a'} ${type}`)
