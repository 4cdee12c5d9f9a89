import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { loadScript, type ScriptedProvider, startScriptedProvider } from '../../src/adapters/scripted-provider/index.ts'
import { Report } from '../../src/gates/report/index.ts'
import { type CommandResult, runCli } from './run-cli.ts'
import { temporaryDirectory } from './temporary-directory.ts'

export const EXAMPLE = join(import.meta.dirname, '../../examples/probes')
const WRITTEN_ADDRESS = 'http://127.0.0.1:4010'
const RUN_LIMIT_MS = 120_000

export interface ProbesExample {
  readonly directory: string
  readonly provider: ScriptedProvider
  portcullis(args: readonly string[]): Promise<CommandResult>
  /** Runs one of its tasks with one of its agents. */
  run(task: string, profile: 'good' | 'bad'): Promise<{ readonly code: number | null; readonly report: Report; readonly runDirectory: string }>
}

/** examples/probes as it is shipped, in a directory of its own and with a provider of its own. */
export async function probesExample(context: TestContext): Promise<ProbesExample> {
  const directory = temporaryDirectory(context)
  cpSync(EXAMPLE, directory, { recursive: true, filter: (source) => !source.includes('/.portcullis') })
  const provider = await startScriptedProvider({ script: await loadScript(join(directory, 'script.yaml')), port: 0 })
  context.after(() => provider.close())
  for (const file of ['portcullis.yaml', 'admissions/scripted--coder-1.json']) {
    const path = join(directory, file)
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(WRITTEN_ADDRESS, provider.url))
  }
  const portcullis = (args: readonly string[]): Promise<CommandResult> => runCli(args, { cwd: directory, timeoutMs: RUN_LIMIT_MS })
  return {
    directory, provider, portcullis,
    run: async (task, profile) => {
      const { code, stdout, stderr } = await portcullis(['run', `${task}.yaml`, '--profile', profile, '--json'])
      try {
        const report = Report.parse(JSON.parse(stdout))
        return { code, report, runDirectory: join(directory, '.portcullis/runs', report.run_id) }
      } catch (error) {
        throw new Error(`run printed no report (exit ${code}): ${stdout.slice(0, 2_000)}\n${stderr.slice(0, 2_000)}`, { cause: error })
      }
    },
  }
}
