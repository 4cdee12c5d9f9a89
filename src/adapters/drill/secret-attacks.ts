import type { Attack, Expectation } from './attack.ts'
import type { Behaviour } from './copy.ts'

const LEAK: Expectation = { by: 'report', reason: 'secret_leak', process: true, requests: 2 }

const byAgent = (surface: string, behaviour: Behaviour, tries: string, naming: string): Attack => ({
  id: `secret-in-${surface.replaceAll(' ', '-')}`,
  title: `secret in ${surface}`,
  tries,
  expects: { ...LEAK, naming: [naming] },
  arrange: (copy) => {
    copy.holdKey()
    copy.behaviour = behaviour
  },
})

/** The credential of the provider, planted on each surface that an agent or an adapter could put it on (ADM-X6). */
export const SECRET_ATTACKS: readonly Attack[] = [
  {
    id: 'secret-in-argv',
    title: 'secret in argv',
    tries: "the provider's credential stands among the arguments of the agent",
    // The plan of such a launch is evidence that cannot be stored: the ledger refuses it before the gate's verdict can.
    expects: { by: 'ledger', reason: 'secret_leak', process: false, requests: 1 },
    arrange: (copy) => {
      copy.holdKey()
      copy.handed = 'argv'
    },
  },
  {
    id: 'secret-in-environment',
    title: 'secret in environment',
    tries: "the provider's credential stands in the environment of the agent",
    expects: { by: 'launch', reason: 'launch_plan_unsafe', process: false, requests: 1, naming: ['environment:'] },
    arrange: (copy) => {
      copy.holdKey()
      copy.handed = 'environment'
    },
  },
  {
    id: 'secret-in-configuration',
    title: 'secret in configuration',
    tries: "the provider's credential is written into the agent's generated settings",
    expects: { by: 'launch', reason: 'launch_plan_unsafe', process: false, requests: 1, naming: ['models.json'] },
    arrange: (copy) => {
      copy.holdKey()
      copy.handed = 'configuration'
    },
  },
  byAgent('stdout', 'prints-secret', "the agent prints the provider's credential", 'agent.stdout.log'),
  byAgent('stderr', 'complains-of-secret', "the agent prints the provider's credential as an error", 'agent.stderr.log'),
  byAgent('patch', 'writes-secret', "the agent writes the provider's credential into a file", 'workspace.patch'),
  {
    id: 'secret-in-file-name',
    title: 'secret in a file name',
    tries: "the agent names a file after the provider's credential",
    // The ledger refuses the list of changed files; the patch, which is no part of it, names the file as well.
    expects: { ...LEAK, naming: ['workspace.patch'] },
    arrange: (copy) => {
      copy.holdKey()
      copy.behaviour = 'names-file-after-secret'
    },
  },
  {
    id: 'secret-in-report',
    title: 'secret in report and trace',
    tries: "the run is asked for under a name that is the provider's credential",
    expects: { ...LEAK, naming: ['report.json', 'report.md', 'trace.jsonl'], askedWithSecret: true },
    arrange: (copy) => {
      copy.holdKey()
      copy.configuration.purposes[copy.canary] = { needs: ['acceptance'] }
      copy.profile.purposes.push(copy.canary)
      copy.purpose = copy.canary
    },
  },
  {
    id: 'key-echoed-by-provider',
    title: 'key echoed by the provider',
    tries: 'the provider refuses the agent and repeats the credential in its error',
    expects: { by: 'wire', reason: 'provider_auth', process: true, requests: 2 },
    faults: [{ on: { request: 2 }, fault: { status: 401, echoKey: true } }],
    arrange: (copy) => copy.holdKey(),
  },
]
