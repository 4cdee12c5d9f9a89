import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import * as z from 'zod'
import { ERROR_TABLE, type ErrorCode } from '../../src/contract/errors.ts'
import type { Scenario } from '../e2e/scenario.ts'
import type { CommandResult } from './run-cli.ts'
import { type ServedApi, ServerEnded, servedApi } from './served-api.ts'

const answered = (code: number, stdout: string): CommandResult => ({ code, signal: null, stdout, stderr: '' })

/** Starts the server, asks it, and ends it. One that does not start has answered with what it said. */
async function withServer(command: string, made: Scenario, ask: (served: ServedApi) => Promise<CommandResult>): Promise<CommandResult> {
  const ends: (() => void)[] = []
  try {
    const served = await servedApi({ after: (end: () => void) => void ends.push(end) }, made.directory, { program: command })
    const result = await ask(served)
    await served.end()
    return result
  } catch (error) {
    if (error instanceof ServerEnded) return answered(error.code, error.stdout)
    throw error
  } finally {
    for (const end of ends) end()
  }
}

const View = z.object({ running: z.boolean(), ending: z.object({ exit_code: z.int() }).nullable() })

/** A run over the HTTP API: its report, and the exit code that its command would have had. */
export const runByHttp = (command: string, made: Scenario): Promise<CommandResult> => begunByHttp(command, made, '/runs', { task: 'task.yaml' })

/** Takes up a run that was interrupted. */
export const resumeByHttp = (command: string, made: Scenario, runId: string): Promise<CommandResult> => begunByHttp(command, made, `/runs/${runId}/resume`, {})

const begunByHttp = (command: string, made: Scenario, path: string, body: Readonly<Record<string, unknown>>): Promise<CommandResult> =>
  withServer(command, made, async (served) => {
    const started = await served.ask(path, { method: 'POST', token: served.admin, body })
    if (started.status !== 202) return answered(ERROR_TABLE[codeOf(started.json())].exit, JSON.stringify({ error: started.json() }))
    const { run_id: run } = z.object({ run_id: z.string() }).parse(started.json())
    for (;;) {
      const { running, ending } = View.parse((await served.ask(`/runs/${run}`, { token: served.admin })).json())
      if (!running && ending !== null) return answered(ending.exit_code, (await served.ask(`/runs/${run}/report`, { token: served.admin })).text)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })

export const replayByHttp = (command: string, made: Scenario, runId: string): Promise<CommandResult> => withServer(command, made, async (served) => answered(0, (await served.ask(`/runs/${runId}/report`, { token: served.admin })).text))

const codeOf = (told: unknown): ErrorCode => z.object({ code: z.enum(Object.keys(ERROR_TABLE) as [ErrorCode, ...ErrorCode[]]) }).parse(told).code

const Ran = z.object({ isError: z.boolean(), content: z.array(z.object({ text: z.string() })), structuredContent: z.object({ exit_code: z.int().optional(), fault: z.looseObject({}).optional(), evidence: z.array(z.unknown()).optional() }) })

async function callTool(command: string, made: Scenario, name: string, given: Record<string, unknown>): Promise<z.infer<typeof Ran>> {
  const client = new Client({ name: 'conformance', version: '1' })
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [command, 'mcp'], cwd: made.directory, env: { PATH: process.env['PATH'] ?? '', HOME: `${made.directory}/no-home` }, stderr: 'inherit' }))
  try {
    return Ran.parse(await client.callTool({ name, arguments: given }, { timeout: 60_000 }))
  } finally {
    await client.close()
  }
}

/** No exit code of any command: a result that contradicts itself. */
const CONTRADICTION = 99

/** A run by the tool of the Model Context Protocol. It must be an error exactly where the command would not have ended with 0, and hold the evidence. */
export const runByMcp = (command: string, made: Scenario): Promise<CommandResult> => endedByMcp(command, made, 'portcullis_run', { task: 'task.yaml' })

export const resumeByMcp = (command: string, made: Scenario, runId: string): Promise<CommandResult> => endedByMcp(command, made, 'portcullis_resume_run', { run: runId })

async function endedByMcp(command: string, made: Scenario, tool: string, given: Record<string, unknown>): Promise<CommandResult> {
  const { isError, content, structuredContent } = await callTool(command, made, tool, given)
  if (structuredContent.fault !== undefined) return answered(isError ? ERROR_TABLE[codeOf(structuredContent.fault)].exit : CONTRADICTION, JSON.stringify({ error: structuredContent.fault }))
  const code = structuredContent.exit_code ?? CONTRADICTION
  return answered(isError === (code !== 0) && structuredContent.evidence !== undefined ? code : CONTRADICTION, content[0]?.text ?? '')
}

export async function replayByMcp(command: string, made: Scenario, runId: string): Promise<CommandResult> {
  const { content } = await callTool(command, made, 'portcullis_show_run', { run: runId })
  return answered(0, content[0]?.text ?? '')
}
