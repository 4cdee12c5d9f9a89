import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import type { AccessKind } from '../contract/access.ts'
import { VERSION } from '../version.ts'
import { type ToolHost, TOOLS } from './tools.ts'

/** A server with the tools that a kind of token may call. A block is a result that is an error, with its verdict as structured content. */
function mcpServer(host: ToolHost, kind: AccessKind): McpServer {
  const server = new McpServer({ name: 'portcullis', version: VERSION }, { capabilities: { tools: {} } })
  for (const tool of TOOLS.filter(({ kinds }) => kinds.includes(kind))) {
    server.registerTool(tool.name, { description: tool.description, inputSchema: tool.input, annotations: { readOnlyHint: !tool.changes } }, async (asked: unknown) => {
      const { blocked, text, structured } = await tool.call(host, asked)
      return { content: [{ type: 'text', text }], structuredContent: { ...structured }, isError: blocked }
    })
  }
  return server
}

/** Serves one connection over standard input and output, with every tool: who starts the process may do as much by its commands. */
export function serveMcpStdio(host: ToolHost): { close(): Promise<void> } {
  return serveStdio(() => mcpServer(host, 'admin'))
}

/** Answers one request of a client whose token is of a kind. Who it is was decided before. */
export async function answerMcp(host: ToolHost, kind: AccessKind, request: Request, parsedBody: unknown): Promise<Response> {
  return createMcpHandler(() => mcpServer(host, kind)).fetch(request, { parsedBody })
}
