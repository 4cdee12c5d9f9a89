import * as z from 'zod'
import { AliasRow, aliasRows } from '../../app/aliases.ts'
import { Overview, overviewOf, ProfileRow, profileRows, PublicKey, publicKeys, RunVerdict, verdictsOf } from '../../app/console.ts'
import { runOf } from '../../app/pages.ts'
import { storedFile } from '../../app/stored-file.ts'
import { RunId } from '../../contract/ids.ts'
import { defineRoute, LOOKING, NONE } from '../route.ts'

const Hours = z.string().regex(/^[1-9]\d{0,3}$/).describe('How far back, in hours.')
const HOUR_MS = 3_600_000

const overview = defineRoute({
  id: 'showOverview', method: 'GET', path: '/overview', kinds: LOOKING, summary: 'How often each gate passed, blocked and abstained of late.',
  parameters: NONE, query: z.strictObject({ hours: Hours }), body: NONE,
  answer: { status: 200, description: 'The counts.', contentType: 'application/json', schema: Overview },
  handle: async ({ server, query }) => ({ status: 200, json: await overviewOf(server.store, new Date(server.options.clock().getTime() - Number(query.hours) * HOUR_MS)) }),
})

const profiles = defineRoute({
  id: 'showMatrix', method: 'GET', path: '/matrix', kinds: LOOKING, summary: 'Every profile beside every purpose: what it means now, and what catalog and admission say of it.',
  parameters: NONE, query: NONE, body: NONE,
  answer: { status: 200, description: 'The matrix.', contentType: 'application/json', schema: z.strictObject({ profiles: z.array(ProfileRow) }) },
  handle: async ({ server }) => ({ status: 200, json: { profiles: await profileRows(server.options) } }),
})

const aliases = defineRoute({
  id: 'listAliases', method: 'GET', path: '/aliases', kinds: LOOKING, summary: 'What every alias means now, for each profile and purpose that uses it: the candidates in their order, which of them is passed over, and why.',
  parameters: NONE, query: NONE, body: NONE,
  answer: { status: 200, description: 'The aliases; `unused` names those that no profile leads to.', contentType: 'application/json', schema: z.strictObject({ aliases: z.array(AliasRow), unused: z.array(z.string()) }) },
  handle: async ({ server }) => ({ status: 200, json: await aliasRows(server.options, server.store) }),
})

const keys = defineRoute({
  id: 'listKeys', method: 'GET', path: '/keys', kinds: LOOKING, summary: 'The public keys beside the ledger. Whoever does not trust the server takes them from elsewhere.',
  parameters: NONE, query: NONE, body: NONE,
  answer: { status: 200, description: 'The keys.', contentType: 'application/json', schema: z.strictObject({ keys: z.array(PublicKey) }) },
  handle: async ({ server }) => ({ status: 200, json: { keys: publicKeys(server.options) } }),
})

const OfRun = z.strictObject({ run: RunId })

const verdicts = defineRoute({
  id: 'listVerdicts', method: 'GET', path: '/runs/{run}/verdicts', kinds: LOOKING, summary: 'The chain of verdicts of a run, also of one that goes on.',
  parameters: OfRun, query: NONE, body: NONE,
  answer: { status: 200, description: 'In the order in which they were decided.', contentType: 'application/json', schema: z.strictObject({ verdicts: z.array(RunVerdict) }) },
  handle: async ({ server, parameters }) => ({ status: 200, json: { verdicts: await verdictsOf(server.ledger, parameters.run) } }),
})

const patch = defineRoute({
  id: 'showPatch', method: 'GET', path: '/runs/{run}/patch', kinds: LOOKING, summary: 'What the agent changed, byte for byte as the run stored it.',
  parameters: OfRun, query: NONE, body: NONE,
  answer: { status: 200, description: 'A patch.', contentType: 'text/plain' },
  handle: async ({ server, parameters }) => {
    await runOf(server.ledger, parameters.run)
    return { status: 200, bytes: storedFile(server.options, parameters.run, 'backend/workspace.patch'), contentType: 'text/plain; charset=utf-8' }
  },
})

export const consoleRoutes = [overview, profiles, aliases, keys, verdicts, patch]
