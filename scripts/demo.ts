/**
 * The main job, end to end: a real coding agent (pi) implements `slugify` in a copy of examples/slugify, through every
 * gate, on the embedded store and the scripted provider. No key, no network. Everything here goes through the command
 * line that users have. With --serve it goes on as a server with its console, and with runs that pass, block and fail.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { serveDemo } from './demo-serve.ts'
import { isFree, layOut, place, portcullis, root, startProvider, WRITTEN_PORT } from './demo-stage.ts'

const { values } = parseArgs({ options: { serve: { type: 'boolean' } } })
process.exitCode = values.serve === true ? await serveDemo() : await demo()

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
