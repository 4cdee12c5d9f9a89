import { type Candidate, type Draft, type ImportedAlias, type ImportedProvider, variableOf } from './imported.ts'

/** The mark of a place that somebody has to fill in. Without a value the loader refuses it, and says where it stands. */
const BLANK = '# fill in:'

export interface Fragment {
  readonly text: string
  /** How many places are blank. */
  readonly blanks: number
}

/** Writes a draft as a part of portcullis.yaml. What the source does not say is a blank, never a default. */
export function writeFragment(draft: Draft, source: string, format: string): Fragment {
  const body = [
    'providers:',
    ...draft.providers.flatMap(providerLines),
    '',
    ...(draft.aliases.length === 0 ? [] : ['aliases:', ...draft.aliases.flatMap(aliasLines), '']),
    ...(draft.aliases.length === 0 ? [] : ['profiles:', ...draft.aliases.flatMap(profileLines), '']),
  ]
  const blanks = body.filter((line) => line.includes(BLANK)).length
  const remarks = draft.remarks.flatMap(({ where, why }) => [`# ${comment(where)}: ${comment(why)}.`])
  const head = [
    `# A part of portcullis.yaml, imported from ${comment(source)} (${format}). Put it beside the tables that are missing here: purposes, probes,`,
    `# taskClasses and health. ${blanks} places say "fill in": the source does not say what belongs there, and nothing has a default here.`,
    '# A model can be used once a record admits it: npx portcullis admit create --help',
    ...(remarks.length === 0 ? [] : ['#', '# What was not taken over, and what to look at:', ...remarks]),
  ]
  return { text: `${[...head, 'version: 1', '', ...body].join('\n').trimEnd()}\n`, blanks }
}

function providerLines(provider: ImportedProvider): string[] {
  const { name, places, dialect, address, asksPermission, prices } = provider
  const pairs = [...prices].map(([model, { input, output }]) => `      ${scalar(model)}: { input: ${input}, output: ${output} }`)
  return [
    `  # from ${places.map(comment).join(', ')}`,
    `  ${scalar(name)}:`,
    line(4, 'dialect', dialect, 'the API it speaks: openai-chat, openai-responses, anthropic-messages or gemini'),
    line(4, 'baseUrl', address, 'the address that calls are sent to'),
    ...(asksPermission ? [line(4, 'allowPrivateAddresses', undefined, 'true, if calls may go to a private network or to this machine by a name')] : []),
    line(4, 'networkClass', undefined, 'where its calls go, as a class that an admission record must allow, as in hosted'),
    ...credentialLines(provider),
    '    timeouts:',
    line(6, 'connect', undefined, 'until the connection stands, as in 5s'),
    line(6, 'firstByte', undefined, 'until the first byte of an answer, as in 60s'),
    line(6, 'idle', undefined, 'between two bytes, as in 60s'),
    line(6, 'total', totalOf(provider), provider.totalsMs.size > 1 ? 'for one whole call; the source gives several' : 'for one whole call, as in 15m'),
    ...(pairs.length === 0 ? [] : ['    prices:', ...pairs]),
  ]
}

function totalOf({ totalsMs }: ImportedProvider): string | undefined {
  const [only, ...others] = totalsMs
  if (only === undefined || others.length > 0) return undefined
  return only % 1_000 === 0 ? `${only / 1_000}s` : `${only}ms`
}

function credentialLines({ name, key }: ImportedProvider): string[] {
  if (key.kind === 'absent') return [line(4, 'credential', undefined, 'where the wire finds it, as in { source: env, name: A_VARIABLE, class: provider-api-key }, or { source: none, class: no-secret }')]
  const variable = key.kind === 'variable' ? key.name : variableOf(name)
  return ['    credential:', line(6, 'source', 'env', ''), line(6, 'name', variable, ''), line(6, 'class', undefined, 'its class, as an admission record must name it, as in provider-api-key')]
}

const aliasLines = ({ name, candidates, fallsBack }: ImportedAlias): string[] => [
  `  ${scalar(name)}:`,
  '    candidates:',
  ...candidates.map((candidate: Candidate) => ('pair' in candidate ? `      - ${scalar(candidate.pair)}` : `      - ${BLANK} ${comment(candidate.blank)}`)),
  ...(fallsBack ? ['    onUnhealthy: next-admitted'] : []),
]

const profileLines = ({ name }: ImportedAlias): string[] => [
  `  ${scalar(name)}:`,
  line(4, 'agent', undefined, 'the agent that works, as in pi; with agentVersion, or as command with its command'),
  line(4, 'model', name, ''),
  line(4, 'permissions', undefined, 'read-only, ask, accept-edits or bypass'),
  line(4, 'purposes', undefined, 'what it may be used for, as in [ticket]'),
  line(4, 'isolation', undefined, 'none, env, fs or network'),
  line(4, 'backgroundModels', undefined, 'map or refuse'),
  '    limits:',
  line(6, 'total', undefined, 'how long a run may take, as in 45m'),
  line(6, 'idle', undefined, 'how long it may be silent, as in 5m'),
  line(6, 'calls', undefined, 'how many model calls it may make'),
  line(6, 'tokens', undefined, 'how many tokens it may use'),
]

const line = (indent: number, name: string, value: string | undefined, hint: string): string => `${' '.repeat(indent)}${name}: ${value === undefined ? `${BLANK} ${hint}` : scalar(value)}`

/** Plain where YAML can read it as nothing but that text, in quotes otherwise. */
const scalar = (text: string): string => (/^(?:[A-Za-z][A-Za-z0-9_./:-]*|\d+m?s)$/.test(text) && !text.endsWith(':') && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text) ? text : JSON.stringify(text).replace(/[\p{Cf}\p{Zl}\p{Zp}\u007f-\u009f]/gu, (character) => Array.from({ length: character.length }, (_unused, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`).join('')))

/** A comment ends with its line, so nothing of a source may begin another one. */
const comment = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, 600)
