import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { digestOf } from '../../contract/canonical.ts'
import { readinessGate } from '../../gates/readiness/index.ts'
import { NO_WIRE, notHere, printed, SEALED_LEVELS, startSealed } from '../../../test/helpers/sealed.ts'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { ask, startBench } from '../../../test/helpers/wire-harness.ts'
import { verifies } from '../../../test/verifies.ts'
import { identityAtStart, observeReadiness } from '../runtime-process/index.ts'
import { createIsolation } from './index.ts'
import { visibleOf } from './visible.ts'

const here = { node: process.execPath, temporaryDirectory: tmpdir() }
const SILENT = { responded: null, claims: { model: null, provider: null, version: null, effort: null } }

/** Whoever lives in a namespace of processes; one that only waits to be removed does not. */
const livingIn = (namespace: string): string[] => readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && namespaceOf(pid) === namespace && !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')))

const namespaceOf = (pid: string): string | undefined => {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    return undefined
  }
}

/** A program by the name of bubblewrap that does what a test says. */
function standIn(t: Parameters<typeof temporaryDirectory>[0], script: string): string {
  const folder = temporaryDirectory(t)
  writeFileSync(join(folder, 'bwrap'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(folder, 'bwrap'), 0o755)
  return folder
}

verifies('ISO-01', 'a level is reached only if a start under it shows that it holds; otherwise it is said why not', async (t) => {
  const reached = async (searchPath: string, level: 'none' | 'env' | 'fs' | 'network'): Promise<unknown> => Object.values(await createIsolation({ ...here, searchPath }).reach(level))
  const none = temporaryDirectory(t)
  assert.deepEqual([await reached(none, 'none'), await reached(none, 'env')], [['env', null], ['env', null]])
  for (const level of SEALED_LEVELS) {
    assert.deepEqual(await reached(none, level), ['env', 'bubblewrap (bwrap) is not on PATH'])
    const forbidden = standIn(t, 'echo "bwrap: No permissions to create new namespace" >&2; exit 1')
    assert.deepEqual(await reached(forbidden, level), ['env', `${forbidden}/bwrap does not start a process here: bwrap: No permissions to create new namespace`])
    // One that only starts the program and seals nothing: everything after -- runs as it is.
    assert.match(String(await reached(standIn(t, 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"'), level)), /^env,a sealed process sees/)
  }
  const halfway = standIn(t, 'for word; do [ "$word" = --unshare-net ] && { echo "bwrap: no loopback" >&2; exit 1; }; done; exit 0')
  assert.deepEqual(await reached(halfway, 'network'), ['fs', `${halfway}/bwrap does not start a process here: bwrap: no loopback`])
})

test('a path is granted with every link on the way to it, and nothing twice', async (t) => {
  const root = temporaryDirectory(t)
  mkdirSync(join(root, 'versions/1/bin'), { recursive: true })
  writeFileSync(join(root, 'versions/1/bin/tool'), '')
  symlinkSync('versions/1', join(root, 'current'))
  symlinkSync('current/bin/tool', join(root, 'tool'))
  assert.deepEqual(await visibleOf([join(root, 'tool'), join(root, 'missing/x')]), [
    { path: join(root, 'tool'), target: 'current/bin/tool' },
    { path: join(root, 'current'), target: 'versions/1' },
    { path: join(root, 'versions/1/bin/tool'), target: null },
  ])
  assert.deepEqual(await visibleOf([join(root, 'tool'), root]), [{ path: root, target: null }])
  symlinkSync('loop', join(root, 'loop'))
  assert.deepEqual(await visibleOf([join(root, 'loop')]), [{ path: join(root, 'loop'), target: 'loop' }])
})

for (const level of SEALED_LEVELS) {
  const skip = await notHere(level)

  test(`at ${level} it is the agent itself that is looked at, and it is the planned one`, { skip }, async (t) => {
    const { agent, launch } = await startSealed(t, level, ['node', '-e', 'process.stdin.resume()'])
    assert.deepEqual(identityAtStart(agent)?.argv, launch.plan.argv)
    const look = async (plan = launch.plan): Promise<string> => {
      const finding = readinessGate.decide(await observeReadiness(plan, agent, SILENT, { observedAt: new Date(), validForMs: 1_000 }), ['0'.repeat(64)])
      return finding.outcome === 'block' ? finding.found : finding.outcome
    }
    assert.equal(await look(), 'pass')
    assert.match(await look({ ...launch.plan, argv: [...launch.plan.argv, 'x'] }), /arguments differ/)
    assert.match(await look({ ...launch.plan, executable: { ...launch.plan.executable, path: '/usr/bin/bwrap' } }), /executable is/)
    assert.notEqual(readlinkSync(`/proc/${agent.pid}/ns/pid`), readlinkSync('/proc/self/ns/pid'))
    assert.notEqual(readlinkSync(`/proc/${agent.pid}/ns/mnt`), readlinkSync('/proc/self/ns/mnt'))
    assert.equal(readlinkSync(`/proc/${agent.pid}/ns/net`) === readlinkSync('/proc/self/ns/net'), level === 'fs')
    const status = readFileSync(`/proc/${agent.pid}/status`, 'utf8')
    assert.match(status, /^CapEff:\t0+$/m)
    assert.match(status, /^CapBnd:\t0+$/m)
    assert.match(status, /^NoNewPrivs:\t1$/m)
  })

  test(`at ${level} an agent sees the system and its own folders, writes to those alone, and nothing of the run token stands in an argv`, { skip }, async (t) => {
    const secret = join(temporaryDirectory(t), 'canary')
    writeFileSync(secret, 'canary')
    const script = `
      for path in "$HOME" "$TMPDIR" . /tmp; do echo x > "$path/written" || echo "cannot write $path"; done
      for path in / /usr /etc /run /run/portcullis; do echo x 2>/dev/null > "$path/written" && echo "wrote $path"; done
      cat ${secret} 2>/dev/null && echo "read the canary"
      [ -e /etc/shadow ] && echo "sees /etc/shadow"
      [ -e "$OPENAI_API_KEY" ] || ls "$(dirname "$PWD")"
      id -un
      cat /proc/[0-9]*/cmdline | grep -c 'pcr[_]'`
    const started = await startSealed(t, level, ['sh', 'script.sh'], { files: { 'script.sh': script } })
    const { stdout, stderr } = await printed(started)
    assert.equal(stderr, '')
    assert.deepEqual(stdout.split('\n').filter((line) => line !== ''), ['home', 'temporary', 'workspace', 'agent', '0'])
    for (const folder of [started.request.home, started.request.temporary, started.request.workspace]) assert.equal(readFileSync(join(folder, 'written'), 'utf8'), 'x\n')
  })

  test(`at ${level} what a profile grants beside the program can be read and not written`, { skip }, async (t) => {
    const granted = temporaryDirectory(t)
    writeFileSync(join(granted, 'library'), 'code')
    const started = await startSealed(t, level, ['sh', '-c', `cat ${granted}/library; echo x 2>/dev/null > ${granted}/library || echo " read-only"`], { readable: [granted] })
    assert.equal((await printed(started)).stdout, 'code read-only\n')
    assert.deepEqual(started.launch.plan.readable, [granted])
    assert.equal(digestOf(readFileSync(join(granted, 'library'), 'utf8')), digestOf('code'))
  })

  test(`at ${level} the exit code of the agent arrives, and its folder of the seal is gone after it`, { skip }, async (t) => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('portcullis-'))
    const code = async (command: string): Promise<number | null> => (await printed(await startSealed(t, level, ['sh', '-c', command]))).code
    assert.deepEqual([await code('read line; exit 7'), await code('read line; kill -9 $$')], [7, 137])
    const left = readdirSync(tmpdir()).filter((name) => /^portcullis-[A-Za-z0-9]{6}$/.test(name) && !before.includes(name) && existsSync(join(tmpdir(), name, 'etc')))
    assert.deepEqual(left, [])
  })

  test(`at ${level} an agent is asked to end before it is killed, and what it left behind in there ends with it`, { skip }, async (t) => {
    const program = `
      const { spawn } = await import('node:child_process')
      spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => undefined); setInterval(() => undefined, 1000)'], { detached: true, stdio: 'ignore' })
      process.on('SIGTERM', () => { console.log('asked'); process.exit(3) })
      console.log('ready'); setInterval(() => undefined, 1000)`
    let ready = (): void => undefined
    const isReady = new Promise<void>((resolve) => (ready = resolve))
    const started = await startSealed(t, level, ['node', 'agent.mjs'], { files: { 'agent.mjs': program }, onStdout: () => ready() })
    const namespace = readlinkSync(`/proc/${started.agent.pid}/ns/pid`)
    await isReady
    await started.agent.stop(5_000)
    const { code, stdout } = await started.agent.exited
    assert.deepEqual([code, stdout.head.toString('utf8')], [3, 'ready\nasked\n'])
    assert.deepEqual(livingIn(namespace), [])
  })

  test(`at ${level} an agent that has ended before it was found is not running, and no other process is taken for it`, { skip }, async (t) => {
    const { agent, launch } = await startSealed(t, level, ['true'])
    await agent.exited
    const finding = readinessGate.decide(await observeReadiness(launch.plan, agent, SILENT, { observedAt: new Date(), validForMs: 1_000 }), ['0'.repeat(64)])
    assert.equal(finding.outcome === 'block' ? finding.reason : finding.outcome, 'agent_not_started')
  })
}

const skip = await notHere('network')

test('at network the wire is where the agent looks for it, and its calls are those of its run', { skip }, async (t) => {
  const answer = JSON.stringify({ id: 'x', model: 'coder-1', choices: [{ message: { role: 'assistant', content: 'hi' } }] })
  const bench = await startBench(t, (response) => response.writeHead(200, { 'content-type': 'application/json' }).end(answer))
  const program = `
    const answer = await fetch(process.env.OPENAI_BASE_URL + '/chat/completions', { method: 'POST', headers: { 'content-type': 'application/json', authorization: 'Bearer ' + process.env.OPENAI_API_KEY }, body: JSON.stringify({ model: 'coder-1', messages: [] }) })
    console.log(answer.status, (await answer.json()).model)`
  const wire = { baseUrl: bench.grant.baseUrl, listen: (path: string) => bench.grant.listen(path) }
  const started = await startSealed(t, 'network', ['node', 'agent.mjs'], { wire, files: { 'agent.mjs': program }, request: { runToken: bench.grant.token } })
  assert.deepEqual(await printed(started), { code: 0, stdout: '200 coder-1\n', stderr: '' })
  assert.equal(bench.recorder.only.outcome, 'answered')
  assert.equal((await ask(bench)).status, 200)
})

test('an agent is not started where the socket of its run cannot be made', { skip }, async (t) => {
  await assert.rejects(startSealed(t, 'network', ['true'], { wire: { ...NO_WIRE, listen: () => Promise.reject(new Error('no socket')) } }), { message: 'no socket' })
})
