import { createServer, type Server } from 'node:http'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import { createPlayer } from './player.ts'
import type { ProviderRequest } from './provider-request.ts'
import { respond, type Stage } from './respond.ts'
import type { ProviderScript } from './script.ts'

export interface ScriptedProvider {
  /** `http://127.0.0.1:PORT`, without a path: OpenAI's clients want `/v1` behind it, Anthropic's and Google's do not. */
  readonly url: string
  readonly port: number
  /** Every request so far, in the order in which they were decided. */
  requests(): readonly ProviderRequest[]
  /** Cuts what is open and frees the port. */
  close(): Promise<void>
}

export interface ScriptedProviderOptions {
  readonly script: ProviderScript
  /** 0 takes a free one. */
  readonly port: number
  /** Called once a request is decided, before its answer goes out. */
  readonly onRequest?: ((request: ProviderRequest) => void) | undefined
}

/**
 * Starts a provider on the loopback interface that plays the script in OpenAI Chat Completions, OpenAI Responses,
 * Anthropic Messages and Gemini, streaming and not. Throws `port_taken` if something listens there already.
 */
export async function startScriptedProvider({ script, port, onRequest }: ScriptedProviderOptions): Promise<ScriptedProvider> {
  const requests: ProviderRequest[] = []
  const stage: Stage = {
    script,
    player: createPlayer(script),
    record: (request) => {
      requests.push(request)
      onRequest?.(request)
    },
  }
  let arrived = 0
  const server = createServer((request, response) => {
    // A client that went away needs no answer; a fault of ours must look like a broken provider, never like an answer.
    respond(request, response, ++arrived, stage).catch(() => response.destroy())
  })
  const boundPort = await listen(server, port)
  return {
    url: `http://127.0.0.1:${boundPort}`,
    port: boundPort,
    requests: () => [...requests],
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)))
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const taken = systemCode(cause) === 'EADDRINUSE'
      reject(
        taken
          ? new PortcullisError('port_taken', {
              asked: `to listen on 127.0.0.1:${port}`,
              found: `something listens on port ${port} already`,
              remedy: 'End the other program (a provider you started before?), or choose another port; 0 takes a free one.',
              cause,
            })
          : cause,
      )
    })
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}
