import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Attack } from './attack.ts'
import { OTHER_MODEL } from './attacks.ts'
import { type DrillTarget, servedNameOf } from './target.ts'
import { type FaultRule, type ProviderScript, startScriptedProvider } from '../scripted-provider/index.ts'

/** The providers of one attack: the one that the copy is pointed at, one that nobody admitted, and an address where nothing listens. */
export interface DrillProviders {
  readonly url: string
  readonly otherUrl: string
  readonly deadUrl: string
  /** How many times a model was asked for an answer, at either of them. */
  inferenceRequests(): number
  close(): Promise<void>
}

/** Starts them on loopback. `onAgentCall` is called when the second question arrives: the first one is the health probe's. */
export async function startDrillProviders(target: DrillTarget, attack: Pick<Attack, 'faults'>, canary: string, onAgentCall: () => void): Promise<DrillProviders> {
  const script = scriptFor(target, attack.faults ?? [], canary)
  let inferences = 0
  const provider = await startScriptedProvider({
    script,
    port: 0,
    onRequest: ({ inference }) => {
      if (!inference) return
      inferences += 1
      if (inferences === 2) onAgentCall()
    },
  })
  const other = await startScriptedProvider({ script, port: 0 })
  const dead = await deadAddress()
  return {
    url: provider.url,
    otherUrl: other.url,
    deadUrl: dead.url,
    inferenceRequests: () => [...provider.requests(), ...other.requests()].filter(({ inference }) => inference).length,
    close: async () => void (await Promise.all([provider.close(), other.close(), dead.close()])),
  }
}

function scriptFor(target: DrillTarget, faults: readonly FaultRule[], canary: string): ProviderScript {
  const { resolution } = target
  // No tokens at all, so that no limit of the profile is reached before its gate.
  const usage = { inputTokens: 0, outputTokens: 0 }
  return {
    version: 1,
    models: [...(resolution === undefined ? [] : [resolution.pair.model]), OTHER_MODEL],
    // Only who shows the planted credential is answered: that it arrives is part of the control.
    ...(resolution === undefined || resolution.provider.credential.source === 'none' ? {} : { requireKey: canary }),
    turns: [
      { when: { offersTool: 'portcullis_probe' }, answer: { toolCalls: [{ name: 'portcullis_probe', arguments: {} }], usage } },
      { when: { always: true }, answer: { text: 'It is done.', usage } },
    ],
    faults: [...faults, { on: { always: true }, fault: { servedModel: servedNameOf(target) } }],
  }
}

/** An address where nothing listens, and where nothing else can begin to: its port belongs to the near end of a connection that stands. */
async function deadAddress(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const far = Promise.withResolvers<Socket>()
  const server = createServer((socket) => far.resolve(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const holder = connect(address === null || typeof address === 'string' ? 0 : address.port, '127.0.0.1')
  await once(holder, 'connect')
  const end = await far.promise
  return {
    url: `http://127.0.0.1:${holder.localPort}`,
    close: async () => {
      holder.destroy()
      end.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
