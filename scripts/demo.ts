/**
 * The main job, end to end: a real coding agent (pi) implements `slugify` in a copy of examples/slugify, through every
 * gate, on the embedded store and the scripted provider. No key, no network. Everything here goes through the command
 * line that users have.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, relative } from 'node:path'

const root = join(import.meta.dirname, '..')
const program = join(root, 'bin/portcullis.js')
const place = join(root, '.portcullis/demo')
const WRITTEN_PORT = 4010
const PROVIDER_START_MS = 20_000

process.exitCode = await demo()

async function demo(): Promise<number> {
  const port = (await isFree(WRITTEN_PORT)) ? WRITTEN_PORT : 0
  const provider = await startProvider(port)
  try {
    layOut(provider.url)
    console.log(`\n  A scripted model provider plays examples/slugify/script.yaml on ${provider.url}.`)
    console.log(`  $ cd ${relative(root, place)} && npx portcullis run task.yaml`)
    const accepted = await portcullis(['run', 'task.yaml'])
    const run = readdirSync(join(place, '.portcullis/runs')).at(-1)
    if (accepted !== 0 || run === undefined) return accepted === 0 ? 1 : accepted
    console.log('  What the agent changed:\n')
    console.log(readFileSync(join(place, '.portcullis/runs', run, 'backend/workspace.patch'), 'utf8').replace(/^/gm, '    ').trimEnd())
    console.log(`\n  And the same run, judged again from the ledger by another process:\n  $ npx portcullis verify ${run}`)
    const verified = await portcullis(['verify', run])
    console.log(`\n  Look around: ${relative(root, place)} holds the configuration, the admission record and every artefact of the run.\n`)
    return verified
  } finally {
    provider.process.kill()
  }
}

/** A fresh copy of the example, whose provider is where ours listens: the admission record binds the address, so both name it. */
function layOut(url: string): void {
  rmSync(place, { recursive: true, force: true })
  mkdirSync(place, { recursive: true })
  cpSync(join(root, 'examples/slugify'), place, { recursive: true, filter: (source) => !source.includes('/.portcullis') })
  for (const file of ['portcullis.yaml', ...readdirSync(join(place, 'admissions')).map((name) => join('admissions', name))]) {
    const path = join(place, file)
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(`http://127.0.0.1:${WRITTEN_PORT}`, url))
  }
}

async function startProvider(port: number): Promise<{ url: string; process: ChildProcess }> {
  const child = spawn(process.execPath, [program, 'provider', '--script', 'examples/slugify/script.yaml', '--port', String(port), '--json'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the scripted provider did not start')), PROVIDER_START_MS)
    child.once('exit', (code) => reject(new Error(`the scripted provider ended with code ${code}`)))
    child.stdout.on('data', (chunk: Buffer) => {
      const listening = /"listening":"([^"]+)"/.exec(chunk.toString('utf8'))?.[1]
      if (listening === undefined) return
      clearTimeout(timer)
      resolve(listening)
    })
  })
  return { url, process: child }
}

function portcullis(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [program, ...args], { cwd: place, stdio: 'inherit' })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
