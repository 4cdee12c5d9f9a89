import assert from 'node:assert/strict'
import type { Dialect } from '../../contract/model.ts'
import { test } from 'node:test'
import { asking, grantIn, judged } from '../../../test/helpers/questions.ts'
import { verifies } from '../../../test/verifies.ts'
import { admitQuestion } from './admit.ts'

const CLIENT_TOOLS: readonly (readonly [Dialect, string])[] = [
  ['openai-chat', '"tools":[{"type":"function","function":{"name":"a","parameters":{"properties":{"model":{"type":"web_search"},"type":{}}}}},{"type":"custom","custom":{"name":"b"}},{"function":{"name":"c"}}]'],
  ['openai-responses', '"tools":[{"type":"function","name":"a","parameters":{"tools":[{"type":"mcp"}]}},{"type":"custom","name":"b"},{"type":"local_shell"},{"type":"apply_patch"},{"type":"shell","environment":{"type":"local"}},{"type":"namespace","name":"n","tools":[{"type":"function","name":"d"}]}]'],
  ['openai-responses', '"input":[{"type":"additional_tools","tools":[{"type":"custom","name":"exec"}]},{"role":"user","content":"\\"tools\\":[{\\"type\\":\\"mcp\\"}]"}]'],
  ['openai-responses', '"input":"\\u0022tools","tools":null,"background":false,"prompt":null'],
  ['anthropic-messages', '"tools":[{"name":"a","input_schema":{"type":"object"}},{"type":"custom","name":"b"},{"type":"bash_20250124","name":"bash"},{"type":"text_editor_20250728","name":"e"},{"type":"tool_search_tool_bm25_20251119","name":"s"},{"type":null,"name":"n"}],"mcp_servers":[ ]'],
  ['gemini', '"tools":[{"functionDeclarations":[{"name":"googleSearch"}]},{"function_declarations":[]}]'],
  ['openai-chat', '"tools":[],"models":null,"prompt":"text of an old client","messages":[{"role":"user","content":"x","models":["other"]}]'],
]

verifies('WIR-11 WIR-07', 'tools whose calls come back to the client go through, whatever stands inside their schemas and texts', () => {
  for (const [dialect, rest] of CLIENT_TOOLS) assert.equal(judged(dialect, rest), 'admitted', `${dialect} ${rest}`)
})

/** Each with the name by which a profile would have to list it. */
const PROVIDER_TOOLS: readonly (readonly [Dialect, string, string])[] = [
  ['openai-chat', '"tools":[{"type":"web_search"}]', 'web_search'],
  ['openai-chat', '"tools":[{"type":"function","function":{"name":"a"}},{"type":"mcp","server_url":"https://elsewhere.example"}]', 'mcp'],
  ['openai-chat', '"tools":[{"googleSearch":{}}]', 'googleSearch'],
  ['openai-chat', '"tools":[{"type":"function","function":{"name":"a"},"url_context":{}}]', 'url_context'],
  ['openai-chat', '"tools":[{"type":"builtin_function","function":{"name":"$web_search"}}]', 'builtin_function'],
  ['openai-chat', '"web_search_options":{}', 'web_search_options'],
  ['openai-chat', '"search_parameters":{"mode":"on"}', 'search_parameters'],
  ['openai-chat', '"enable_search":true', 'enable_search'],
  ['openai-chat', '"plugins":[{"id":"web"}]', 'plugins'],
  ['openai-chat', '"t\\u006fols":[{"type":"web_search"}]', 'web_search'],
  ['openai-chat', '"tools":[],"tools":[{"type":"web_search"}]', 'web_search'],
  ['openai-chat', '"Tools":[{"type":"web_search"}]', 'web_search'],
  ['openai-chat', '"tools":[{"type":"\\u0077eb_search"}]', 'web_search'],
  ['openai-responses', '"tools":[{"type":"mcp","server_label":"x","server_url":"https://elsewhere.example","authorization":"t"}]', 'mcp'],
  ['openai-responses', '"tools":[{"type":"code_interpreter","container":{"type":"auto"}}]', 'code_interpreter'],
  ['openai-responses', '"tools":[{"type":"shell","environment":{"type":"container_auto"}}]', 'shell'],
  ['openai-responses', '"tools":[{"type":"shell"}]', 'shell'],
  ['openai-responses', '"tools":[{"type":"shell","environment":{"type":"local","type":"container_auto"}}]', 'shell'],
  ['openai-responses', '"tools":[{"type":"namespace","name":"n","tools":[{"type":"web_search"}]}]', 'web_search'],
  ['openai-responses', '"tools":[{"type":"web_search","tools":[]}]', 'web_search'],
  ['openai-responses', '"input":[{"type":"additional_tools","tools":[{"type":"web_search"}]}]', 'web_search'],
  ['openai-responses', '"input":[{"type":"additional_tools","t\\u006fol\\u0073":[{"type":"web_search"}]}]', 'web_search'],
  ['openai-responses', '"input":[{"type":"additional_tools","TOOLS":[{"type":"web_search"}]}]', 'web_search'],
  ['openai-responses', '"prompt":{"id":"pmpt_1"}', 'prompt'],
  ['anthropic-messages', '"tools":[{"type":"web_search_20250305","name":"web_search"}]', 'web_search_20250305'],
  ['anthropic-messages', '"tools":[{"type":"web_fetch_20250910","name":"web_fetch"}]', 'web_fetch_20250910'],
  ['anthropic-messages', '"tools":[{"type":"code_execution_20250825","name":"code_execution"}]', 'code_execution_20250825'],
  ['anthropic-messages', '"tools":[{"type":"memory_20250818 ","name":"m"}]', 'a tool of no known type'],
  ['anthropic-messages', '"mcp_servers":[{"type":"url","url":"https://elsewhere.example"}]', 'mcp_servers'],
  ['anthropic-messages', '"container":{"skills":[]}', 'container'],
  ['anthropic-messages', '"tools":[{"type":7,"name":"n"}]', 'a tool of no known type'],
  ['gemini', '"tools":[{"functionDeclarations":[],"googleSearch":{}}]', 'googleSearch'],
  ['gemini', '"tools":[{"google_search":{}}]', 'google_search'],
  ['gemini', '"tools":[{"codeExecution":{}}]', 'codeExecution'],
  ['gemini', '"tools":[{"somethingNew":{}}]', 'somethingNew'],
]

verifies('WIR-07', 'what the provider would run by itself is refused unless the profile lists exactly it, in every dialect and spelling', () => {
  for (const [dialect, rest, name] of PROVIDER_TOOLS) {
    const answer = admitQuestion(asking(dialect, rest), grantIn(dialect))
    assert.ok(!answer.admitted, rest)
    assert.deepEqual([answer.reason, answer.found], ['provider_tool_not_allowed', `${name}, which the provider would run by itself`])
    assert.match(answer.remedy, /providerTools/)
    assert.equal(judged(dialect, rest, { providerTools: ['another'] }), 'provider_tool_not_allowed')
    assert.equal(judged(dialect, rest, { providerTools: [name] }), 'admitted', rest)
    assert.equal(judged(dialect, rest, { backgroundModels: 'map' }), 'provider_tool_not_allowed')
  }
})

void test('every tool must be listed, not only the first', () => {
  const both = '"tools":[{"type":"web_search_1","name":"a"},{"type":"web_fetch_1","name":"b"}]'
  assert.equal(judged('anthropic-messages', both, { providerTools: ['web_search_1'] }), 'provider_tool_not_allowed')
  assert.equal(judged('anthropic-messages', both, { providerTools: ['web_fetch_1', 'web_search_1'] }), 'admitted')
})

verifies('WIR-02 WIR-07', 'another model that a tool names is refused as what it is, and stands in the record by its name', () => {
  const cases: readonly (readonly [Dialect, string, string])[] = [
    ['anthropic-messages', 'advisor_1', '"tools":[{"type":"advisor_1","name":"advisor","model":"larger-1"}]'],
    ['openai-responses', 'image_generation', '"tools":[{"type":"image_generation","model":"larger-1"}]'],
    ['openai-responses', 'image_generation', '"tools":[{"type":"image_generation","M\\u006fdel":"larger-1"}]'],
    ['openai-chat', 'function', '"tools":[{"type":"function","function":{"name":"a"},"model":"larger-1"}]'],
    // An alias is written out nowhere but at the top: the provider would be asked for a name that is none of its own.
    ['openai-responses', 'image_generation', '"tools":[{"type":"image_generation","model":"best"}]'],
  ]
  for (const [dialect, type, rest] of cases) {
    for (const backgroundModels of ['refuse', 'map'] as const) {
      const answer = admitQuestion(asking(dialect, rest), grantIn(dialect, { providerTools: [type], backgroundModels }))
      assert.ok(!answer.admitted, rest)
      assert.deepEqual([answer.reason, answer.requestedModel], ['model_not_admitted', rest.includes('best') ? 'best' : 'larger-1'])
    }
    assert.equal(judged(dialect, rest.replace(/larger-1|best/, 'coder-1'), { providerTools: [type] }), 'admitted')
  }
})

verifies('WIR-07', 'members by which another model or address could be chosen, an answer for later and tools in two readings are refused', () => {
  const cases: readonly (readonly [Dialect, string])[] = [
    ['openai-chat', '"models":["coder-1","other"]'],
    ['openai-chat', '"models":[ "other" ]'],
    ['openai-chat', '"fallbacks":["other"]'],
    ['openai-chat', '"api_base":"https://elsewhere.example"'],
    ['openai-chat', '"base_url":"https://elsewhere.example"'],
    ['openai-chat', '"preset":"@preset/x"'],
    ['openai-chat', '"mod\\u0065ls":["other"]'],
    ['openai-responses', '"background":true'],
    ['openai-chat', '"tools":{"type":"web_search"}'],
    ['openai-chat', '"tools":["web_search"]'],
  ['openai-responses', '"tools":[{"type":"namespace","tools":[{"type":"namespace","tools":[{"type":"web_search"}]}]}]'],
    ['openai-chat', '"tools":[{"type":"web_search","type":"function"}]'],
    ['openai-chat', '"tools":[{"type":"function","Type":"web_search"}]'],
    ['anthropic-messages', '"tools":[{"name":"a","model":{"id":"other"}}]'],
  ]
  for (const [dialect, rest] of cases) assert.equal(judged(dialect, rest, { providerTools: ['web_search'], backgroundModels: 'map' }), 'request_malformed', rest)
})

void test('a compressed body is judged by what it holds', () => {
  const plain = asking('openai-chat', '"tools":[{"type":"web_search"}]')
  const answer = admitQuestion({ ...plain, contentEncoding: 'gzip', body: Buffer.from([1, 2]), decoded: Buffer.from(plain.body) }, grantIn('openai-chat'))
  assert.ok(!answer.admitted)
  assert.equal(answer.reason, 'provider_tool_not_allowed')
})
