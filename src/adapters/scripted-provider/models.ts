/** A date before any client; listings must not change from one start to the next. */
const CREATED_AT = new Date('2026-01-01T00:00:00Z')

type Shape = 'openai' | 'anthropic' | 'gemini'

/** The listing of all models, or of the one with this id; undefined if there is none of this id. */
export function listModels(models: readonly string[], shape: Shape, id: string | undefined): unknown {
  const describe = DESCRIBE[shape]
  if (id !== undefined) return models.includes(id) ? describe(id) : undefined
  const data = models.map(describe)
  if (shape === 'gemini') return { models: data }
  return shape === 'openai' ? { object: 'list', data } : { data, has_more: false, first_id: models[0] ?? null, last_id: models.at(-1) ?? null }
}

const openAiModel = (id: string): unknown => ({ id, object: 'model', created: CREATED_AT.getTime() / 1_000, owned_by: 'scripted' })

const geminiModel = (id: string): unknown => ({ name: `models/${id}`, baseModelId: id, version: '1', displayName: id, supportedGenerationMethods: ['generateContent', 'countTokens'] })

const anthropicModel = (id: string): unknown => ({ type: 'model', id, display_name: id, created_at: CREATED_AT.toISOString() })

const DESCRIBE: Readonly<Record<Shape, (id: string) => unknown>> = { openai: openAiModel, anthropic: anthropicModel, gemini: geminiModel }
