import type { Dialect } from '../../contract/model.ts'

/** The model list of a dialect with the names that a run may ask for in it, and nothing else (WIR-06). */
export function listingOf(dialect: Dialect, names: readonly string[], owner: string): object {
  if (dialect === 'anthropic-messages') {
    const models = names.map((id) => ({ type: 'model', id, display_name: id, created_at: '1970-01-01T00:00:00Z' }))
    return { data: models, has_more: false, first_id: names[0] ?? null, last_id: names.at(-1) ?? null }
  }
  if (dialect === 'gemini') {
    return { models: names.map((name) => ({ name: `models/${name}`, baseModelId: name, version: '', displayName: name, supportedGenerationMethods: ['generateContent', 'countTokens'] })) }
  }
  return { object: 'list', data: names.map((id) => ({ id, object: 'model', created: 0, owned_by: owner })) }
}
