import type { Dialect, ModelPair } from '../../contract/model.ts'

/** The model list of a dialect with the one admitted model in it (WIR-06). */
export function listingOf(dialect: Dialect, admitted: ModelPair): object {
  if (dialect === 'anthropic-messages') {
    const model = { type: 'model', id: admitted.model, display_name: admitted.model, created_at: '1970-01-01T00:00:00Z' }
    return { data: [model], has_more: false, first_id: admitted.model, last_id: admitted.model }
  }
  return { object: 'list', data: [{ id: admitted.model, object: 'model', created: 0, owned_by: admitted.provider }] }
}
