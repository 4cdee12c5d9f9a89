// Plays an agent: asks its model once, as every agent must, and then does the work of the repository that it stands in,
// well or badly. What it prints is a claim, and it is the same in both cases.
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const prompt = readFileSync(0, 'utf8')
const { OPENAI_BASE_URL, OPENAI_API_KEY, PORTCULLIS_MODEL } = process.env
const answer = await fetch(`${OPENAI_BASE_URL}/chat/completions`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: `Bearer ${OPENAI_API_KEY}` },
  body: JSON.stringify({ model: PORTCULLIS_MODEL, messages: [{ role: 'user', content: prompt }] }),
})
if (!answer.ok) throw new Error(`the model answered ${answer.status}`)
await answer.text()

const { name } = JSON.parse(readFileSync('package.json', 'utf8'))
cpSync(join(import.meta.dirname, '../solutions', name, process.argv[2]), '.', { recursive: true })
console.log('completed')
