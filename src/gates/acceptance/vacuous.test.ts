import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFINITIONS } from '../../../test/helpers/probe-samples.ts'
import { verifies } from '../../../test/verifies.ts'
import { vacuousReason } from './index.ts'
import { ProbeDefinition } from '../catalog/index.ts'

const probe = (command: readonly string[], expect: { exitCode: number; stdout?: string } = { exitCode: 0 }): ProbeDefinition => ProbeDefinition.parse({ kind: 'headless_run', command, timeout: '5s', expect })
const reasonOf = (command: readonly string[], stdout?: string): string | undefined => vacuousReason(probe(command, stdout === undefined ? { exitCode: 0 } : { exitCode: 0, stdout }))

const EMPTY: readonly (readonly string[])[] = [
  ['true'],
  ['/bin/true'],
  [':'],
  ['exit', '0'],
  ['echo', 'ok'],
  ['printf', 'ok'],
  ['sleep', '1'],
  ['env', 'A=1', 'true'],
  ['timeout', '-k', '5', 'true'],
  ['timeout', '5', 'true'],
  ['nice', 'nohup', 'true'],
  ['env'],
  ['sh', '-c', 'true'],
  ['sh', '-c', ' '],
  ['sh', '-c', '# nothing'],
  ['bash', '-lc', 'exit 0'],
  ['/bin/sh', '-ec', ':; true && exit 0'],
  ['sh', '-c', 'A=1 true'],
  ['sh', '-c', '(true)'],
  ['busybox', 'sh', '-c', 'true'],
  ['sh', '-c', 'npm test || true'],
  ['sh', '-c', 'npm test; exit 0'],
  ['sh', '-c', 'npm test\ntrue'],
  ['sh', '-c', 'npm test | true'],
  ['node', '-e', ' '],
  ['node', '-e', 'process.exit(0)'],
  ['node', '--eval', 'console.log("ok")'],
  ['python3', '-c', 'pass'],
]

const TELLING: readonly (readonly string[])[] = [
  ['node', '--test'],
  ['npm', 'test'],
  ['sh', '-c', 'npm test'],
  ['sh', '-c', 'echo begin; npm test'],
  ['sh', '-c', 'npm test && echo ok'],
  ['sh', '-ec', 'npm test; echo ok'],
  ['sh', '-c', 'set -e; npm test; exit 0'],
  ['sh', '-c', 'npm test; exit $?'],
  ['sh', '-c', 'echo $(npm test)'],
  ['sh', 'test.sh'],
  ['test', '-f', 'result.txt'],
  ['grep', '-q', 'done', 'file'],
  ['grep', '-c', 'true', 'file'],
  ['env', 'A=1', 'npm', 'test'],
  ['timeout', '5', 'npm', 'test'],
  ['node', '-e', 'process.exit(require("./x") ? 0 : 1)'],
]

verifies('ACC-53', 'a command that ends the same way on any workspace is refused', () => {
  for (const command of EMPTY) assert.equal(typeof reasonOf(command), 'string', command.join(' '))
  assert.equal(typeof vacuousReason(probe(['false'], { exitCode: 1 })), 'string')
  assert.equal(typeof reasonOf(['echo', 'ok'], '^ok$'), 'string', 'its output is as constant as its exit code')
})

test('a command that looks at the work is not', () => {
  for (const command of TELLING) assert.equal(reasonOf(command), undefined, command.join(' '))
  assert.equal(reasonOf(['sh', '-c', 'npm test || true'], '^# pass [1-9]'), undefined, 'the output still says something')
})

verifies('ACC-53', 'an expression that matches anything, does not compile or might never end is refused', () => {
  for (const source of ['.*', '.', '.+', '[^]', '[\\s\\S]*', '^', '$', '\\S', '(?:)', 'a|', 'x?', '^$', '(', '[', '(a+)+$', '(a*)*b', '(a|a)*b', '((a+)b?)*c', '(.*,){5}x', '(a)\\1', '(?<a>b)\\k<a>']) {
    assert.equal(typeof reasonOf(['npm', 'test'], source), 'string', source)
  }
  for (const source of ['^# pass [1-9]', 'ok \\d+', '(?:passed|done)$', '[(+*]+ x', '\\(a+\\)+', '(abc)+', 'tests?: \\d+ passed', '(\\w+)=(\\d+)']) {
    assert.equal(reasonOf(['npm', 'test'], source), undefined, source)
  }
})

verifies('ACC-53', 'a service whose command looks at nothing, or an expression for a header that matches anything, is refused', () => {
  const { api_smoke: smoke } = DEFINITIONS
  assert.equal(vacuousReason(smoke), undefined)
  assert.match(vacuousReason({ ...smoke, service: { ...smoke.service, command: ['sleep', '60'] } }) ?? '', /`sleep` ends the same way/)
  const [request] = smoke.requests
  assert.match(vacuousReason({ ...smoke, requests: [{ ...request, headers: { 'content-type': '.*' } }] }) ?? '', /the header content-type of POST \/notes asserts nothing: it matches the empty text/)
})
