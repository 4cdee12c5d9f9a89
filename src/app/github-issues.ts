import { PortcullisError } from '../contract/errors.ts'

export interface GitHubOrder {
  readonly repository: string
  /** Undefined for GitHub's own. */
  readonly api: string | undefined
  /** The name of the variable that holds the token, or that it comes over standard input: never the token itself. */
  readonly tokenFrom: { readonly variable: string } | 'stdin' | undefined
}

const MOST_TOKEN_BYTES = 4_096

/** The open issues of a repository, as `importTickets` takes them. The token is read, sent, and kept nowhere. */
export async function issuesOfGitHub({ repository, api, tokenFrom }: GitHubOrder, environment: Readonly<Record<string, string | undefined>>, stdin: AsyncIterable<Buffer | string>): Promise<readonly unknown[]> {
  const { GITHUB_API, githubIssues } = await import('../adapters/github-issues/index.ts')
  const token = tokenFrom === undefined ? undefined : tokenFrom === 'stdin' ? await tokenOf(stdin) : tokenIn(environment, tokenFrom.variable)
  return githubIssues({ repository, api: api ?? GITHUB_API, token })
}

function tokenIn(environment: Readonly<Record<string, string | undefined>>, variable: string): string {
  // What is no name may be the token itself: it is not repeated.
  if (!/^[A-Z_][A-Z0-9_]{0,99}$/.test(variable)) throw new PortcullisError('usage', { asked: 'the name of a variable', found: 'something else', remedy: 'Put the token into a variable and give its name, as in GITHUB_TOKEN; an argument can be read by everybody on this machine.' })
  const token = environment[variable]?.trim()
  if (token === undefined || token === '') throw new PortcullisError('usage', { asked: `a token in ${variable}`, found: 'no such variable, or an empty one', remedy: `Set ${variable}, or send the token over standard input with --token-stdin.` })
  return token
}

async function tokenOf(stdin: AsyncIterable<Buffer | string>): Promise<string> {
  let text = ''
  for await (const chunk of stdin) {
    text += chunk.toString()
    if (text.length > MOST_TOKEN_BYTES) throw new PortcullisError('usage', { asked: 'a token on standard input', found: `more than ${MOST_TOKEN_BYTES} characters`, remedy: 'Send the token alone.' })
  }
  if (text.trim() === '') throw new PortcullisError('usage', { asked: 'a token on standard input', found: 'nothing', remedy: 'Send the token there, as in: gh auth token | npx portcullis tickets import --github acme/shop --token-stdin ...' })
  return text.trim()
}
