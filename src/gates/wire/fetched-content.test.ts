import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Dialect } from '../../contract/model.ts'
import { asking, grantIn, judged } from '../../../test/helpers/questions.ts'
import { verifies } from '../../../test/verifies.ts'
import { admitQuestion } from './admit.ts'
import { scanObject } from './json-scan.ts'
import { fetchedBy } from './fetched-content.ts'

const ELSEWHERE = 'https://elsewhere.example/?q=secret'
const chat = (part: string): string => `"messages":[{"role":"user","content":[{"type":"text","text":"look"},${part}]}]`
const responses = (part: string): string => `"input":[{"role":"user","content":[${part}]}]`
const anthropic = (block: string): string => `"messages":[{"role":"user","content":[${block}]}]`
const gemini = (part: string): string => `"contents":[{"role":"user","parts":[${part}]}]`

/** Each with the name by which a profile would have to list it. */
const FETCHED: readonly (readonly [Dialect, string, string])[] = [
  ['openai-chat', chat(`{"type":"image_url","image_url":{"url":"${ELSEWHERE}","detail":"low"}}`), 'image_url'],
  ['openai-chat', chat(`{"type":"image_url","image_url":"${ELSEWHERE}"}`), 'image_url'],
  ['openai-chat', chat(`{"type":"image_url","image_url":[{"url":"data:image/png;base64,AA"},{"url":"${ELSEWHERE}"}]}`), 'image_url'],
  ['openai-chat', chat(`{"type":"video_url","video_url":{"url":"${ELSEWHERE}"}}`), 'video_url'],
  ['openai-chat', chat(`{"type":"document_url","document_url":"${ELSEWHERE}"}`), 'document_url'],
  ['openai-chat', chat(`{"type":"file","file":{"filename":"a.pdf","file_data":"${ELSEWHERE}"}}`), 'file_data'],
  ['openai-chat', chat(`{"type":"file","file":{"file_data":"gs://bucket/object"}}`), 'file_data'],
  ['openai-chat', `"messages":[{"role":"tool","tool_call_id":"c","content":[{"type":"image_url","image_url":{"url":"${ELSEWHERE}"}}]}]`, 'image_url'],
  // In every spelling that some parser reads as the same.
  ['openai-chat', chat(`{"type":"image_url","image_u\\u0072l":{"u\\u0072l":"${ELSEWHERE}"}}`), 'image_url'],
  ['openai-chat', chat(`{"type":"image_url","imag\\u0065_url":{"url":"${ELSEWHERE}"}}`), 'image_url'],
  ['openai-chat', chat(`{"type":"image_url","IMAGE_URL":{"URL":"${ELSEWHERE}"}}`), 'IMAGE_URL'],
  ['openai-chat', chat(`{"type":"image_url" , "image_url" : { "url"\n:\t"https:\\/\\/elsewhere.example"}}`), 'image_url'],
  ['openai-chat', chat(`{"type":"image_url","image_url":{"url":"${ELSEWHERE}","url":"data:image/png;base64,AA"}}`), 'image_url'],
  ['openai-chat', chat(`{"type":"image_url","image_url":{"url":"${ELSEWHERE}"},"image_url":{"url":"data:image/png;base64,AA"}}`), 'image_url'],
  ['openai-chat', chat(`{"type":"image_url","image_url":{"url":" data:image/png;base64,AA"}}`), 'image_url'],
  ['openai-chat', chat(`{"type":"image_url","image_url":{"url":7}}`), 'image_url'],
  ['openai-chat', `"Messages":[{"content":[{"image_url":"${ELSEWHERE}"}]}]`, 'image_url'],
  ['openai-chat', chat(`{"type":"file","file":{"file_data":"\\u0068ttps:\\/\\/elsewhere.example"}}`), 'file_data'],
  ['openai-chat', chat(`{"type":"file","file":{"file_data":"\\n${ELSEWHERE}"}}`), 'file_data'],
  ['openai-chat', chat(`{"type":"file","file":{"file_data":"${' '.repeat(300)}${ELSEWHERE}"}}`), 'file_data'],
  ['openai-responses', responses(`{"type":"input_image","image_url":"${ELSEWHERE}"}`), 'image_url'],
  ['openai-responses', responses(`{"type":"input_file","file_url":"${ELSEWHERE}"}`), 'file_url'],
  ['openai-responses', `"input":[{"type":"function_call_output","call_id":"c","output":[{"type":"input_image","image_url":"${ELSEWHERE}"}]}]`, 'image_url'],
  ['openai-responses', `"input":[{"type":"computer_call_output","call_id":"c","output":{"type":"computer_screenshot","image_url":"${ELSEWHERE}"}}]`, 'image_url'],
  ['anthropic-messages', anthropic(`{"type":"image","source":{"type":"url","url":"${ELSEWHERE}"}}`), 'source.url'],
  ['anthropic-messages', anthropic(`{"type":"document","source":{"url":"${ELSEWHERE}","type":"url"}}`), 'source.url'],
  ['anthropic-messages', anthropic(`{"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":{"type":"url","url":"${ELSEWHERE}"}}]}`), 'source.url'],
  ['anthropic-messages', `"system":[{"type":"text","text":"x"},{"type":"document","source":{"type":"url","url":"${ELSEWHERE}"}}]`, 'source.url'],
  ['gemini', gemini(`{"fileData":{"mimeType":"video/mp4","fileUri":"${ELSEWHERE}"}}`), 'fileUri'],
  ['gemini', gemini(`{"file_data":{"file_uri":"${ELSEWHERE}"}}`), 'file_uri'],
  ['gemini', `"systemInstruction":{"parts":[{"fileData":{"fileUri":"${ELSEWHERE}"}}]}`, 'fileUri'],
]

verifies('WIR-07', 'content that the provider would fetch from an address is refused unless the profile lists exactly its member', () => {
  for (const [dialect, rest, name] of FETCHED) {
    const answer = admitQuestion(asking(dialect, rest), grantIn(dialect))
    assert.ok(!answer.admitted, rest)
    assert.deepEqual([answer.reason, answer.found], ['provider_tool_not_allowed', `${name}, by which the provider would fetch from an address`], rest)
    assert.match(answer.remedy, /data: URL, or list the exact name in `providerTools`/)
    assert.equal(answer.found.includes('elsewhere'), false)
    assert.equal(judged(dialect, rest, { providerTools: ['another'] }), 'provider_tool_not_allowed')
    assert.equal(judged(dialect, rest, { providerTools: [name] }), 'admitted', rest)
  }
})

const COMES_ALONG: readonly (readonly [Dialect, string])[] = [
  ['openai-chat', chat('{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo=","detail":"high"}}')],
  ['openai-chat', chat('{"type":"image_url","image_url":{"url":"DATA:image/png;base64,AA"}},{"type":"image_url","image_url":null}')],
  ['openai-chat', chat('{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AA"}},{"type":"file","file":{"file_data":"JVBERi0xLjQ+/w=="}},{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}')],
  ['openai-chat', `"messages":[{"role":"user","content":"see ${ELSEWHERE} and \\"image_url\\":{\\"url\\":\\"${ELSEWHERE}\\"}"}]`],
  ['openai-chat', `"messages":[{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"show","arguments":"{\\"image_url\\":\\"${ELSEWHERE}\\"}"}}]}]`],
  ['openai-chat', `"tools":[{"type":"function","function":{"name":"show","parameters":{"properties":{"image_url":{"type":"string","default":"${ELSEWHERE}"}}}}}],"response_format":{"json_schema":{"schema":{"properties":{"image_url":{"type":"string","enum":["${ELSEWHERE}"]}}}}}`],
  ['openai-chat', `"metadata":{"image_url":"${ELSEWHERE}"},"messages":[{"role":"user","content":"x","metadata":"${ELSEWHERE}"}]`],
  ['openai-responses', `"input":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"x","annotations":[{"type":"url_citation","url":"${ELSEWHERE}"}]}]},{"type":"computer_call_output","current_url":"${ELSEWHERE}","output":{"type":"computer_screenshot","image_url":"data:image/png;base64,AA"}}]`],
  ['openai-responses', `"input":"${ELSEWHERE}","text":{"format":{"type":"json_schema","schema":{"properties":{"url":{"type":"string"},"file_url":{"const":"${ELSEWHERE}"}}}}}`],
  ['anthropic-messages', anthropic('{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"plain words"}}')],
  ['anthropic-messages', `"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"WebFetch","input":{"url":"${ELSEWHERE}","source":{"url":"${ELSEWHERE}"},"image_url":"${ELSEWHERE}"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"${ELSEWHERE}"}]}]`],
  ['anthropic-messages', anthropic(`{"type":"search_result","source":"${ELSEWHERE}","title":"t","content":[{"type":"text","text":"x"}]}`)],
  ['anthropic-messages', `"messages":[{"role":"assistant","content":[{"type":"web_search_tool_result","tool_use_id":"t","content":[{"type":"web_search_result","url":"${ELSEWHERE}","title":"t"}]}]}]`],
  ['gemini', gemini('{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}')],
  ['gemini', `"contents":[{"role":"model","parts":[{"functionCall":{"name":"show","args":{"imageUrl":"${ELSEWHERE}","fileData":{"fileUri":"${ELSEWHERE}"}}}}]},{"role":"user","parts":[{"functionResponse":{"name":"show","response":{"file_url":"${ELSEWHERE}"}}}]}]`],
]

verifies('WIR-07 WIR-11', 'content that comes along goes through, and so do addresses in texts, in what tools are given and say, and in schemas', () => {
  for (const [dialect, rest] of COMES_ALONG) assert.equal(judged(dialect, rest), 'admitted', `${dialect} ${rest}`)
})

test('every member must be listed, not only the first', () => {
  const both = anthropic(`{"type":"image","source":{"type":"url","url":"${ELSEWHERE}"}},{"type":"image","image_url":"${ELSEWHERE}"}`)
  assert.equal(judged('anthropic-messages', both, { providerTools: ['source.url'] }), 'provider_tool_not_allowed')
  assert.equal(judged('anthropic-messages', both, { providerTools: ['source.url', 'image_url'] }), 'admitted')
})

/** The same numbers in the same order each time. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state % below
  }
}

verifies('WIR-40', 'an address is found wherever it stands, between 2,000 shapes of everything else', () => {
  const next = numbers(40)
  const texts = ['""', '"\\\\"', '"a\\"b"', '"url"', '"\\u0022,{[:"', '"\\\\\\\\\\""', '"é💥"', '"]}"', '"image_url"']
  const filler = (depth: number): string => {
    const kind = next(depth > 3 ? 4 : 6)
    if (kind < 2) return texts[next(texts.length)] ?? '""'
    if (kind === 2) return ['0', '-1.5e3', 'true', 'null'][next(4)] ?? '0'
    if (kind === 3) return '{ }'
    const parts = Array.from({ length: next(4) }, () => filler(depth + 1))
    return kind === 4 ? `[${parts.join(' , ')}]` : `{${parts.map((part, index) => `"k${index}"\n:${part}`).join(',')}}`
  }
  for (let round = 0; round < 2_000; round += 1) {
    let shape = `{"k":${filler(0)},"image_url":{"detail":${filler(1)},"url":"https://x.example"},"z":${filler(0)}}`
    for (let level = next(6); level > 0; level -= 1) shape = next(2) === 0 ? `[${filler(1)},${shape},${filler(1)}]` : `{"a":${filler(1)},"content":${shape},"b":${filler(1)}}`
    const honest = shape.replace('https://x.example', 'data:image/png;base64,AA')
    for (const [body, expected] of [[shape, ['image_url']], [honest, []]] as const) {
      const bytes = Buffer.from(`{"model":"coder-1","messages":${body}}`)
      const scanned = scanObject(bytes)
      assert.ok(scanned.ok, body)
      assert.deepEqual(fetchedBy(bytes, scanned.members), expected, body)
    }
  }
})
