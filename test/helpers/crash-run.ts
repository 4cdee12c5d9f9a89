import { writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { loadTask } from '../../src/adapters/configuration/index.ts'
import { LedgerOnDemand } from '../../src/adapters/store-sqlite/index.ts'
import { composeWorld } from '../../src/app.ts'
import { runTask, type World } from '../../src/engine/index.ts'

/**
 * Runs task.yaml of this directory and kills its own process at the n-th write boundary between the first probe and the end: before
 * and after each row, each file and each probe. Arguments: n (0 for never), and the file that gets the number of boundaries.
 */
const [, , at = '0', countFile = ''] = process.argv
let armed = false
let passed = 0

function boundary(): void {
  if (!armed) return
  passed += 1
  if (passed === Number(at)) process.kill(process.pid, 'SIGKILL')
}

async function around<Value>(act: () => Promise<Value>): Promise<Value> {
  boundary()
  const value = await act()
  boundary()
  return value
}

function crashing(world: World): World {
  const { ledger, probeRunner, reviewRunner } = world
  return {
    ...world,
    probeRunner: { run: (request) => around(() => probeRunner.run(request)) },
    reviewRunner: { run: (request) => around(() => reviewRunner.run(request)) },
    ledger: {
      begin: (run) => ledger.begin(run), history: (runId) => ledger.history(runId), list: () => ledger.list(), charged: (account) => ledger.charged(account),
      rowsAfter: (kind, position, most) => ledger.rowsAfter(kind, position, most), close: () => ledger.close(),
      append: async (write) => {
        await around(() => ledger.append(write))
        armed ||= write.events?.some((event) => event.type === 'completion_begun') === true
      },
    },
    createDirectory: (runId) => {
      const directory = world.createDirectory(runId)
      return {
        ...directory,
        write: (name, content) => {
          boundary()
          directory.write(name, content)
          boundary()
        },
      }
    },
  }
}

const options = { cwd: process.cwd(), configurationPath: undefined, stateDirectory: undefined, environment: process.env, homeDirectory: homedir(), clock: () => new Date() }
const state = join(process.cwd(), '.portcullis')
const ledger = new LedgerOnDemand(join(state, 'ledger.db'))
const loaded = loadTask('task.yaml')
const world = crashing(await composeWorld(options, ledger, state))
const { task } = loaded
const request = { task, taskDigest: loaded.digest, taskText: loaded.text, profile: task.profile, purpose: task.purpose, repository: loaded.repository, reference: loaded.referencePatch, admissionFile: null, remotes: loaded.remotes, asked: null, cancelled: new AbortController().signal }
await runTask(world, request, { opened: () => undefined, gateBegan: () => undefined, gateDecided: () => undefined, note: () => undefined })
await ledger.close()
writeFileSync(countFile, String(passed))
