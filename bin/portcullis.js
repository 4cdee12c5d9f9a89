#!/usr/bin/env node
// The command, in JavaScript that any Node can at least read: an old one must be able to say what it lacks. So no newer
// syntax than optional catch binding, and no `node:` prefix, which old versions do not know. What starts a child is
// imported where it is needed, because each built-in module costs every start.
import { existsSync, readFileSync } from 'fs'
import { dirname, join, sep } from 'path'
import { fileURLToPath, pathToFileURL } from 'url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const required = [24, 15]
const forwarded = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGUSR2']

function isNewEnough(version) {
  const found = version.split('.').map(Number)
  return found[0] > required[0] || (found[0] === required[0] && found[1] >= required[1])
}

const installed = root.split(sep).includes('node_modules')

/** In a checkout the source itself runs, so that a stale build is never what is tested. Node strips no types inside node_modules. */
function entry() {
  const source = join(root, 'src', 'cli', 'main.ts')
  return !installed && existsSync(source) ? source : join(root, 'dist', 'cli', 'main.js')
}

/** Keeps compiled code beside the code itself, which halves the start. Never in a shared directory: what lies there is run. */
function keepCompiledCode() {
  const modules = installed ? root.slice(0, root.lastIndexOf(`node_modules${sep}`) + 'node_modules'.length) : join(root, 'node_modules')
  const module = process.getBuiltinModule('module')
  if (existsSync(modules)) module.enableCompileCache(join(modules, '.cache', 'portcullis'))
}

/** The runtime that the npm package `node` installed: this checkout's own, or one beside this package. */
function ownRuntime() {
  const program = process.platform === 'win32' ? 'node.exe' : 'node'
  const folders = [join(root, 'node_modules', 'node'), join(dirname(root), 'node')]
  const folder = folders.find((candidate) => existsSync(join(candidate, 'bin', program)) && isNewEnough(versionOf(candidate)))
  return folder === undefined ? undefined : join(folder, 'bin', program)
}

function versionOf(folder) {
  try {
    return String(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version)
  } catch (error) {
    return `unreadable: ${error.code || error.name}`
  }
}

function refuse(asked, found, remedy) {
  process.stderr.write(`portcullis did not start.\n  asked    ${asked}\n  found    ${found}\n  do       ${remedy}\n`)
  process.exitCode = 1
}

/** Runs this command again with another runtime, as if that one had been called: same terminal, same signals, same end. */
async function runWith(runtime) {
  const { spawn } = await import('child_process')
  const child = spawn(runtime, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of forwarded) {
    process.on(signal, () => {
      // A terminal has already sent its Ctrl-C to both of us; a second one would look like impatience.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  child.on('error', (error) => refuse(`Node >= ${required.join('.')}`, `${runtime} did not start: ${error.code}`, 'run npm ci again, or put a newer Node into the path'))
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code === null ? 1 : code
      return
    }
    for (const handled of forwarded) process.removeAllListeners(handled)
    process.kill(process.pid, signal)
  })
}

async function runHere() {
  const file = entry()
  if (!existsSync(file)) return refuse('the built program', `no ${file}`, 'run npm run build')
  keepCompiledCode()
  const { main } = await import(pathToFileURL(file).href)
  process.exitCode = await main(process.argv.slice(2))
}

function fail(error) {
  process.stderr.write(`${error && error.stack ? error.stack : error}\n`)
  process.exitCode = 1
}

const runtime = isNewEnough(process.versions.node) ? undefined : ownRuntime()
if (isNewEnough(process.versions.node)) {
  runHere().catch(fail)
} else if (runtime === undefined) {
  refuse(`Node >= ${required.join('.')}`, `Node ${process.versions.node} at ${process.execPath}`, 'install a newer Node, or call it with one: npx -p node@24 -p portcullis portcullis --help')
} else {
  runWith(runtime).catch(fail)
}
