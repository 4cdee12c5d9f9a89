import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

export const root: string = join(import.meta.dirname, '..')
export const program: string = join(root, 'bin/portcullis.js')
export const place: string = join(root, '.portcullis/demo')
export const WRITTEN_PORT = 4010
const PROVIDER_START_MS = 20_000

/** A fresh copy of the example, whose provider is where ours listens: the admission record binds the address, so both name it. */
export function layOut(url: string): void {
  rmSync(place, { recursive: true, force: true })
  mkdirSync(place, { recursive: true })
  cpSync(join(root, 'examples/slugify'), place, { recursive: true, filter: (source) => !source.includes('/.portcullis') })
  for (const file of ['portcullis.yaml', ...readdirSync(join(place, 'admissions')).map((name) => join('admissions', name))]) {
    const path = join(place, file)
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(`http://127.0.0.1:${WRITTEN_PORT}`, url))
  }
}

export async function startProvider(port: number, script = 'examples/slugify/script.yaml'): Promise<{ url: string; process: ChildProcess }> {
  const child = spawn(process.execPath, [program, 'provider', '--script', script, '--port', String(port), '--json'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
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

export function portcullis(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [program, ...args], { cwd: place, stdio: 'inherit' })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

export function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** A port that nobody listens on now, for a program that has to be told one. */
export function freePort(): Promise<number> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (address === null || typeof address === 'string' ? reject(new Error('no port')) : resolve(address.port)))
    })
  })
}
