/**
 * Texts with and without credentials, drawn from a seed. None stands here as it is: a repository that held two hundred
 * things that look like keys would be one that no scanner can be run over.
 */
export interface Sample {
  /** Whose credential it is, or what only looks like one. */
  readonly kind: string
  readonly text: string
  /** What must be found; undefined in a clean one. */
  readonly secret: string | undefined
}

const DIGITS = '0123456789'
const LOWER = 'abcdefghijklmnopqrstuvwxyz'
const UPPER = LOWER.toUpperCase()
const HEX = `${DIGITS}abcdef`
const ALPHANUMERIC = DIGITS + UPPER + LOWER
const URL_SAFE = `${ALPHANUMERIC}-_`

/** Draws from a seed: the same seed gives the same corpus on every machine (mulberry32). */
export class Draw {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * limit)
  }

  of(alphabet: string, length: number): string {
    return Array.from({ length }, () => alphabet[this.below(alphabet.length)]).join('')
  }

  one<Value>(choices: readonly Value[]): Value {
    const chosen = choices[this.below(choices.length)]
    if (chosen === undefined) throw new RangeError('nothing to choose from')
    return chosen
  }

  hex = (length: number): string => this.of(HEX, length)
  any = (length: number): string => this.of(ALPHANUMERIC, length)
  url = (length: number): string => this.of(URL_SAFE, length)
  uuid = (): string => [8, 4, 4, 4, 12].map((length) => this.hex(length)).join('-')
}

type Make = (draw: Draw) => string

/** What is a credential wherever it stands. */
const TOKENS: readonly (readonly [provider: string, make: Make])[] = [
  ['Anthropic', (d) => `sk-ant-api03-${d.url(93)}AA`],
  ['Anthropic', (d) => `sk-ant-oat01-${d.url(93)}AA`],
  ['Anthropic', (d) => `sk-ant-ort01-${d.url(93)}AA`],
  ['OpenAI', (d) => `sk-proj-${d.url(74)}T3BlbkFJ${d.url(74)}`],
  ['OpenAI', (d) => `sk-${d.any(20)}T3BlbkFJ${d.any(20)}`],
  ['OpenRouter', (d) => `sk-or-v1-${d.hex(64)}`],
  ['DeepSeek', (d) => `sk-${d.hex(32)}`],
  ['Groq', (d) => `gsk_${d.any(52)}`],
  ['xAI', (d) => `xai-${d.any(80)}`],
  ['Perplexity', (d) => `pplx-${d.any(48)}`],
  ['Hugging Face', (d) => `hf_${d.of(LOWER + UPPER, 34)}`],
  ['Replicate', (d) => `r8_${d.any(37)}`],
  ['NVIDIA', (d) => `nvapi-${d.url(64)}`],
  ['LangSmith', (d) => `lsv2_pt_${d.hex(32)}_${d.hex(10)}`],
  ['Databricks', (d) => `dapi${d.hex(32)}`],
  ['Google', (d) => `AIza${d.url(35)}`],
  ['Google', (d) => `GOCSPX-${d.url(28)}`],
  ['Google', (d) => `ya29.${d.url(120)}`],
  ['Amazon', (d) => `AKIA${d.of(`${UPPER}234567`, 16)}`],
  ['Amazon', (d) => `ASIA${d.of(`${UPPER}234567`, 16)}`],
  ['Alibaba', (d) => `LTAI${d.any(20)}`],
  ['Azure', (d) => `AccountKey=${d.of(`${ALPHANUMERIC}+/`, 86)}==`],
  ['Azure', (d) => `${d.any(3)}8Q~${d.url(34)}`],
  ['DigitalOcean', (d) => `dop_v1_${d.hex(64)}`],
  ['Cloudflare', (d) => `cfut_${d.any(40)}${d.hex(8)}`],
  ['Netlify', (d) => `nfp_${d.any(40)}`],
  ['Vercel', (d) => `vcp_${d.any(56)}`],
  ['Supabase', (d) => `sbp_${d.hex(40)}`],
  ['PlanetScale', (d) => `pscale_tkn_${d.url(43)}`],
  ['HashiCorp Vault', (d) => `hvs.${d.url(95)}`],
  ['Terraform Cloud', (d) => `${d.any(14)}.atlasv1.${d.url(67)}`],
  ['Doppler', (d) => `dp.pt.${d.any(43)}`],
  ['Pulumi', (d) => `pul-${d.hex(40)}`],
  ['Tailscale', (d) => `tskey-auth-${d.any(17)}-${d.any(32)}`],
  ['GitHub', (d) => `ghp_${d.any(36)}`],
  ['GitHub', (d) => `gho_${d.any(36)}`],
  ['GitHub', (d) => `ghs_${d.any(36)}`],
  ['GitHub', (d) => `github_pat_${d.any(22)}_${d.any(59)}`],
  ['GitLab', (d) => `glpat-${d.url(20)}`],
  ['GitLab', (d) => `glrt-${d.url(20)}`],
  ['Bitbucket', (d) => `ATBB${d.any(32)}`],
  ['Atlassian', (d) => `ATATT3xFfGF0${d.url(170)}=${d.of(HEX.toUpperCase(), 8)}`],
  ['npm', (d) => `npm_${d.any(36)}`],
  ['PyPI', (d) => `pypi-AgEIcHlwaS5vcmc${d.url(120)}`],
  ['RubyGems', (d) => `rubygems_${d.hex(48)}`],
  ['Docker', (d) => `dckr_pat_${d.url(27)}`],
  ['Clojars', (d) => `CLOJARS_${d.of(LOWER + DIGITS, 60)}`],
  ['SonarQube', (d) => `sqp_${d.hex(40)}`],
  ['Postman', (d) => `PMAK-${d.hex(24)}-${d.hex(34)}`],
  ['Sentry', (d) => `sntryu_${d.hex(64)}`],
  ['Sourcegraph', (d) => `sgp_${d.hex(16)}_${d.hex(40)}`],
  ['Dynatrace', (d) => `dt0c01.${d.of(UPPER + DIGITS, 24)}.${d.of(UPPER + DIGITS, 64)}`],
  ['New Relic', (d) => `NRAK-${d.of(UPPER + DIGITS, 27)}`],
  ['Grafana', (d) => `glsa_${d.any(32)}_${d.hex(8)}`],
  ['Prefect', (d) => `pnu_${d.any(36)}`],
  ['Figma', (d) => `figd_${d.url(40)}`],
  ['Linear', (d) => `lin_api_${d.any(40)}`],
  ['Notion', (d) => `ntn_${d.of(DIGITS, 11)}${d.any(35)}`],
  ['Airtable', (d) => `pat${d.any(14)}.${d.hex(64)}`],
  ['Slack', (d) => `xoxb-${d.of(DIGITS, 12)}-${d.of(DIGITS, 13)}-${d.any(24)}`],
  ['Slack', (d) => `xoxp-${d.of(DIGITS, 12)}-${d.of(DIGITS, 12)}-${d.of(DIGITS, 13)}-${d.hex(32)}`],
  ['Slack', (d) => `https://hooks.slack.com/services/T${d.of(UPPER + DIGITS, 10)}/B${d.of(UPPER + DIGITS, 10)}/${d.any(24)}`],
  ['Discord', (d) => `https://discord.com/api/webhooks/${d.of(DIGITS.slice(1), 18)}/${d.url(68)}`],
  ['Telegram', (d) => `${d.of(DIGITS.slice(1), 10)}:AA${d.url(33)}`],
  ['Twilio', (d) => `SK${d.hex(32)}`],
  ['SendGrid', (d) => `SG.${d.url(22)}.${d.url(43)}`],
  ['Mailchimp', (d) => `${d.hex(32)}-us14`],
  ['Mailgun', (d) => `key-${d.hex(32)}`],
  ['Brevo', (d) => `xkeysib-${d.hex(64)}-${d.any(16)}`],
  ['Stripe', (d) => `sk_live_${d.any(24)}`],
  ['Stripe', (d) => `rk_live_${d.any(99)}`],
  ['Square', (d) => `sq0csp-${d.url(43)}`],
  ['Shopify', (d) => `shpat_${d.hex(32)}`],
  ['PayPal', (d) => `access_token$production$${d.of(LOWER + DIGITS, 16)}$${d.hex(32)}`],
  ['Plaid', (d) => `access-production-${d.uuid()}`],
  ['EasyPost', (d) => `EZAK${d.any(54)}`],
  ['Shippo', (d) => `shippo_live_${d.hex(40)}`],
  ['Typeform', (d) => `tfp_${d.url(59)}`],
  ['HubSpot', (d) => `pat-na1-${d.uuid()}`],
  ['age', (d) => `AGE-SECRET-KEY-1${d.of('QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L', 58)}`],
  ['a private key', (d) => `-----BEGIN RSA PRIVATE KEY-----\n${Array.from({ length: 8 }, () => d.of(`${ALPHANUMERIC}+/`, 64)).join('\n')}\n-----END RSA PRIVATE KEY-----`],
  ['a JSON web token', (d) => [{ alg: 'RS256', kid: d.hex(8) }, { sub: d.hex(12), exp: d.below(2_000_000_000) }].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).concat(d.url(86)).join('.')],
]

/** What is one by the name that stands beside it. */
const NAMED: readonly (readonly [provider: string, name: string, make: Make])[] = [
  ['Amazon', 'aws_secret_access_key', (d) => d.of(`${ALPHANUMERIC}+/`, 40)],
  ['Mistral', 'MISTRAL_API_KEY', (d) => d.any(32)],
  ['Cohere', 'COHERE_API_KEY', (d) => d.any(40)],
  ['Together', 'TOGETHER_API_KEY', (d) => d.hex(64)],
  ['Weights & Biases', 'WANDB_API_KEY', (d) => d.hex(40)],
  ['Datadog', 'DD_API_KEY', (d) => d.hex(32)],
  ['Algolia', 'algoliaAdminApiKey', (d) => d.hex(32)],
  ['Heroku', 'HEROKU_API_KEY', (d) => d.uuid()],
  ['Snyk', 'SNYK_TOKEN', (d) => d.uuid()],
  ['Codecov', 'CODECOV_TOKEN', (d) => d.uuid()],
  ['Fastly', 'fastly_api_token', (d) => d.url(32)],
  ['Okta', 'okta-api-token', (d) => `00${d.url(40)}`],
  ['Discord', 'DISCORD_BOT_TOKEN', (d) => `MT${d.any(24)}.${d.any(6)}.${d.url(38)}`],
  ['ngrok', 'NGROK_AUTHTOKEN', (d) => `2${d.any(26)}_${d.any(21)}`],
  ['OpenWeather', 'OPENWEATHER_KEY', (d) => d.hex(32)],
  ['an own service', 'clientSecret', (d) => d.url(43)],
  ['an own service', 'session-signing-key', (d) => Buffer.from(d.hex(48), 'hex').toString('base64')],
  ['PostgreSQL', 'DATABASE_URL', (d) => `postgres://app:${d.any(20)}@db.internal:5432/app`],
]

const around: readonly ((name: string, value: string) => string)[] = [
  (name, value) => `${name}=${value}\nPORT=8080\n`,
  (name, value) => `{"region":"eu","${name}":${JSON.stringify(value)}}`,
  (name, value) => `  ${name}: ${value}\n  retries: 3\n`,
  (name, value) => `const ${name.replace(/[^A-Za-z0-9]/g, '_')} = '${value}'\n`,
  (name, value) => `+export ${name.replace(/[^A-Za-z0-9]/g, '_')}="${value}"\n`,
  (name, value) => JSON.stringify({ stdout: `loaded\n${name}=${value}\ndone` }),
]
/** A format that is known by itself also stands where no name is. */
const bare: readonly ((value: string) => string)[] = [
  (value) => `2026-01-05T10:00:00Z error: request with ${value} was refused\n`,
  (value) => `curl -H "Authorization: Bearer ${value}" https://api.internal/v1\n`,
  (value) => JSON.stringify({ argv: ['deploy', '--with', value] }),
  (value) => JSON.stringify({ text: `first line\n${value}\nlast line` }),
]

/** One hundred credentials of more than seventy providers. */
export function secretSamples(seed: number): readonly Sample[] {
  const draw = new Draw(seed)
  const tokens = TOKENS.map(([kind, make], index): Sample => {
    const secret = make(draw)
    const text = index % 2 === 0 ? draw.one(bare)(secret) : draw.one(around)(draw.one(['value', 'SETTING', 'data', 'third']), secret)
    return { kind, text, secret }
  })
  const named = NAMED.map(([kind, name, make]): Sample => {
    const secret = make(draw)
    return { kind, text: draw.one(around)(name, secret), secret }
  })
  return [...tokens, ...named].slice(0, 100)
}
