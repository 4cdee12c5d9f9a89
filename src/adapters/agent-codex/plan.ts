import type { Profile } from '../../gates/catalog/index.ts'
import type { PlanRequest } from '../../gates/launch/index.ts'
import { type CliDescription, type CliLaunch, findBeside, type HeldMode, type Unworkable } from '../agent-cli/index.ts'
import { filesOf, TOKEN_VARIABLE } from './configuration.ts'

const PACKAGE = '@openai/codex'

/** Its own sandbox holds it; inside a seal `unworkable` refuses what needs that sandbox. */
const MODES: CliDescription['modes'] = {
  'read-only': { argv: ['--sandbox', 'read-only'], enforcedBy: 'the sandbox of Codex (read-only): no command writes or reaches a network; where its sandbox cannot start, no command runs' },
  ask: undefined,
  'accept-edits': { argv: ['--sandbox', 'workspace-write'], enforcedBy: 'the sandbox of Codex (workspace-write): commands write below the workspace only and reach no network; where its sandbox cannot start, no command runs' },
  bypass: { argv: ['--sandbox', 'danger-full-access'], enforcedBy: 'nothing is asked or refused: every command runs' },
}

/** Its sandbox makes namespaces of its own, for which it needs what a seal takes away: no command would run, and nothing would be said of it but that the work was not done. */
function unworkable({ isolation, permissions }: Profile): Unworkable | undefined {
  if ((isolation !== 'fs' && isolation !== 'network') || permissions === 'bypass' || MODES[permissions] === undefined) return undefined
  return {
    asked: `permissions ${permissions} with isolation ${isolation}`,
    found: 'the sandbox of Codex, which holds it to this mode, does not start inside a seal',
    remedy: 'Set `permissions: bypass`, which leaves the seal as what holds it, or `isolation: env`, where its own sandbox does.',
  }
}

/** The triples of Rust by which its native programs are filed. */
const TRIPLES: Readonly<Record<string, string>> = {
  'linux-x64': 'x86_64-unknown-linux-musl',
  'linux-arm64': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
}

/** Codex, one process for one prompt, which prints its events as lines of JSON. */
export const CODEX: CliDescription = {
  agent: 'codex',
  title: 'Codex',
  packageName: PACKAGE,
  command: 'codex',
  version: '0.169.0',
  dialects: ['openai-responses'],
  efforts: ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'],
  modes: MODES,
  unworkable,
  overriding: [],
  rewrites: () => false,
  async locate(folder) {
    // The command of the package is a script that only starts this one, and that leaves it behind when it is killed.
    const platform = `${process.platform}-${process.arch}`
    const triple = TRIPLES[platform]
    const path = triple === undefined ? undefined : await findBeside(folder, `${PACKAGE}-${platform}`, `vendor/${triple}/bin/codex`)
    return path === undefined ? undefined : { path, folder: null }
  },
  launch(request, mode): CliLaunch {
    return {
      argv: argumentsOf(request, mode),
      environment: { [TOKEN_VARIABLE]: request.runToken },
      settings: { CODEX_HOME: request.configuration },
      files: filesOf(request),
    }
  },
}

function argumentsOf({ pair }: PlanRequest, mode: HeldMode | undefined): string[] {
  // `--strict-config` ends it at a field that it does not know; the snapshot of the shell would hold the whole environment.
  const held = ['--strict-config', '--ephemeral', '--ignore-rules', '--skip-git-repo-check', '--disable', 'shell_snapshot', '--color', 'never']
  return ['exec', '--json', ...held, ...(mode?.argv ?? ['--sandbox', 'read-only']), '--model', pair.model, '-']
}
