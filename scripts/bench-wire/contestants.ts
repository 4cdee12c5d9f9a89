import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import { join } from 'node:path'

/** One way to the provider, measured as a process of its own. */
export interface Contestant {
  readonly name: string
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** The processes whose CPU is its own; none for the direct way. */
  readonly pids: readonly number[]
}

const here = import.meta.dirname
const started: ChildProcess[] = []

/** Ends every process that this benchmark started. */
export function endAll(): void {
  for (const child of started) child.kill('SIGTERM')
}

async function forked(file: string, args: readonly string[]): Promise<{ pid: number; port: number; token: string | undefined }> {
  const child = fork(join(here, file), [...args], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  started.push(child)
  const [message] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(() => Promise.reject(new Error(`${file} ended before it was ready`)))])) as [{ port: number; token?: string }]
  return { pid: child.pid ?? 0, port: message.port, token: message.token }
}

export const startProvider = (): Promise<{ pid: number; port: number }> => forked('provider.ts', [])

/** All contestants that this machine has, in front of one provider. `portkey` is a folder with @portkey-ai/gateway in its node_modules. */
export async function startContestants(provider: number, place: string, portkey: string | undefined): Promise<Contestant[]> {
  const url = `http://127.0.0.1:${provider}`
  const json = { 'content-type': 'application/json' }
  const path = '/v1/chat/completions'
  const bare = await forked('pass-through.ts', [url])
  const contestants: Contestant[] = [
    { name: 'direct', port: provider, path, headers: json, pids: [] },
    { name: 'bare pass-through', port: bare.port, path, headers: json, pids: [bare.pid] },
  ]
  for (const evidence of ['off', 'on']) {
    const wire = await forked('wire.ts', [url, evidence])
    contestants.push({ name: `portcullis, evidence ${evidence}`, port: wire.port, path, headers: { ...json, authorization: `Bearer ${wire.token ?? ''}` }, pids: [wire.pid] })
  }
  const nginx = await startNginx(url, place)
  if (nginx !== undefined) contestants.push({ name: 'nginx', ...nginx, path, headers: json })
  const gateway = await startPortkey(portkey)
  if (gateway !== undefined) contestants.push({ name: 'Portkey gateway', ...gateway, path, headers: { ...json, authorization: 'Bearer sk-bench', 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${url}/v1` } })
  return contestants
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Resolves once something listens; rejects after ten seconds. */
async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`nothing listens on port ${port}`)
}

async function startNginx(url: string, place: string): Promise<{ port: number; pids: number[] } | undefined> {
  if (spawnSync('nginx', ['-v']).error !== undefined) return undefined
  const port = await freePort()
  mkdirSync(join(place, 'nginx'), { recursive: true })
  const file = join(place, 'nginx/nginx.conf')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${place}/nginx/${name};`).join(' ')
  writeFileSync(file, `daemon off; master_process off; pid ${place}/nginx/pid; error_log stderr crit; events { worker_connections 4096; }
http { access_log off; ${temporary} keepalive_timeout 60s; keepalive_requests 1000000; client_body_buffer_size 1m; client_max_body_size 64m;
  upstream provider { server ${url.replace('http://', '')}; keepalive 256; keepalive_requests 1000000; }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; } } }`)
  const child = spawn('nginx', ['-c', file, '-p', join(place, 'nginx')], { stdio: 'ignore' })
  started.push(child)
  await listening(port)
  return { port, pids: [child.pid ?? 0] }
}

async function startPortkey(folder: string | undefined): Promise<{ port: number; pids: number[] } | undefined> {
  if (folder === undefined) return undefined
  const program = join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js')
  if (!existsSync(program)) throw new Error(`no Portkey gateway in ${folder}: npm install --prefix ${folder} @portkey-ai/gateway`)
  const port = await freePort()
  const child = spawn(process.execPath, [program, `--port=${port}`, '--headless'], { cwd: folder, stdio: 'ignore', env: { ...process.env, TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost' } })
  started.push(child)
  await listening(port)
  return { port, pids: [child.pid ?? 0] }
}

/** CPU that processes have used so far, in microseconds, by the kernel's own accounting (ticks of 10 ms). */
export function cpuMicroseconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return sum + (Number(fields[11]) + Number(fields[12])) * 10_000
  }, 0)
}

/** Memory that a process has in use, in MB. */
export const residentMb = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024
