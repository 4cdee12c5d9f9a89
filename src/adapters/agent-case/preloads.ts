/**
 * Programs that Bun loads before Case. They are kept as texts because they are written into the run's own directory, where the
 * launch plan holds their digests and readiness looks at them again; nothing of Case is changed. They import dynamically because
 * the build looks for static imports in every text.
 */

/** Waits for the one prompt on standard input and makes it Case's task: until then Case has not been loaded. */
export const HAND_OVER = `const { readFileSync, writeFileSync } = await import('node:fs')

const prompt = readFileSync(0, 'utf8')
if (prompt === '') {
  process.stderr.write('portcullis: no prompt came, so Case was not started\\n')
  process.exit(75)
}
writeFileSync(process.env.PORTCULLIS_CASE_TASK, prompt, { flag: 'wx', mode: 0o600 })
`

/**
 * Gives Pi's Agent the key that Case leaves out, for the one admitted provider, and makes an error of the provider an error of
 * the prompt: Pi would keep it to itself, and Case would call it a missing delimiter.
 */
export const BRIDGE = `const { join } = await import('node:path')
const { pathToFileURL } = await import('node:url')

const core = join(process.env.CASE_PACKAGE_ROOT, 'node_modules/@mariozechner/pi-agent-core/dist/index.js')
const { Agent } = await import(pathToFileURL(core).href)
const prompt = Agent.prototype.prompt
if (typeof prompt !== 'function') throw new Error('portcullis: this Pi has no Agent.prototype.prompt to bridge')
Agent.prototype.prompt = async function (...given) {
  this.getApiKey = (provider) => (provider === process.env.PORTCULLIS_CASE_PROVIDER ? process.env.PORTCULLIS_RUN_TOKEN : undefined)
  const answer = await prompt.apply(this, given)
  if (this.state.error) throw new Error(String(this.state.error))
  return answer
}
`

/** Asks the installed Pi, with the configuration of the run, which model Case would use and where it would call it. */
export const CATALOGUE = `const { readFileSync } = await import('node:fs')
const { join } = await import('node:path')
const { pathToFileURL } = await import('node:url')

const pi = join(process.env.CASE_PACKAGE_ROOT, 'node_modules/@mariozechner/pi-coding-agent/dist/index.js')
const { AuthStorage, ModelRegistry } = await import(pathToFileURL(pi).href)
const { models } = JSON.parse(readFileSync(join(process.env.CASE_DATA_DIR, 'config.json'), 'utf8'))
const registry = new ModelRegistry(AuthStorage.create())
const { provider, model } = models.default
const found = registry.find(provider, model)
process.stdout.write('\\n' + JSON.stringify({ provider, model, known: found !== undefined, baseUrl: found?.baseUrl ?? null, api: found?.api ?? null, fault: registry.getError() ?? null }) + '\\n')
process.exit(0)
`
