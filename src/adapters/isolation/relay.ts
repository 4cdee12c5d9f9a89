/** Where the files that are made for one seal are found inside it. */
export const INSIDE = '/run/portcullis'
export const SOCKET_NAME = 'wire.sock'
export const RELAY_NAME = 'relay.cjs'

/**
 * Runs inside the seal, where there is no network but this: it passes what comes in on 127.0.0.1 to the socket of the run, and
 * starts the agent once it listens, so that no call can come too early. It ends with the agent, and the agent with it. Kept as a
 * text because it is written beside the socket, wherever the rest of this program is. CommonJS starts a few milliseconds sooner.
 */
export const RELAY = `const { spawn } = require('node:child_process')
const { connect, createServer } = require('node:net')
const { constants } = require('node:os')

const [port, socket, program, ...rest] = process.argv.slice(2)
// Whoever asks the agent to end asks everything in here; the relay has to outlive the agent's last call.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => undefined)
const server = createServer({ allowHalfOpen: true }, (client) => {
  const wire = connect({ path: socket, allowHalfOpen: true })
  for (const [one, other] of [[client, wire], [wire, client]]) {
    one.pipe(other)
    one.on('error', () => other.destroy())
    one.on('close', () => other.destroy())
  }
})
const fail = (what) => (error) => {
  process.stderr.write('portcullis: ' + what + ' (' + error.code + ')\\n')
  process.exit(126)
}
server.on('error', fail('the way to the wire could not be opened'))
server.listen(Number(port), '127.0.0.1', () => {
  const agent = spawn(program, rest, { stdio: 'inherit' })
  agent.on('error', fail('the agent could not be started'))
  agent.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
})
`
