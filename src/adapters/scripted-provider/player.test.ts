import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Conversation } from './conversation.ts'
import { createPlayer } from './player.ts'

const heard: Conversation = { model: 'coder-1', stream: false, turn: 2, lastUser: 'work in /tmp/x', lastTool: 'found /tmp/x/src/a.js', tools: [], inputTokens: 1, streamUsage: true }

test('an answer may repeat what the named groups of its patterns found, at every depth, and only that', () => {
  const player = createPlayer({
    version: 1,
    models: ['coder-1'],
    turns: [{
      when: { lastTool: '(?<path>/\\S+\\.js)(?<missing> more)?', lastUser: 'in (?<folder>\\S+)' },
      answer: { text: 'I edit ${path}.', toolCalls: [{ name: 'edit', arguments: { file: '${path}', edits: [{ text: '${folder} ${missing} ${JSON.stringify(title)} ${unknown}', line: 3 }] } }] },
    }],
  })
  assert.deepEqual(player.turnFor(heard, 1)?.row.answer, {
    text: 'I edit /tmp/x/src/a.js.',
    toolCalls: [{ name: 'edit', arguments: { file: '/tmp/x/src/a.js', edits: [{ text: '/tmp/x ${missing} ${JSON.stringify(title)} ${unknown}', line: 3 }] } }],
  })
})
