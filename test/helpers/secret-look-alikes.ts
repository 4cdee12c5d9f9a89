import { createHash } from 'node:crypto'
import { Draw, type Sample } from './secret-corpus.ts'

type Make = (draw: Draw) => string

const sha = (draw: Draw, algorithm: string, encoding: 'hex' | 'base64'): string => createHash(algorithm).update(draw.hex(8)).digest(encoding)

/** What people and programs write that is long, random or called a key, and is no secret. */
const LOOK_ALIKES: readonly (readonly [kind: string, make: Make])[] = [
  ['a UUID', (d) => `"requestId": "${d.uuid()}"`],
  ['a UUID called a key', (d) => `idempotency_key: ${d.uuid()}`],
  ['a UUID of a session', (d) => `session_id=${d.uuid()}`],
  ['a commit', (d) => `commit ${d.hex(40)}\nAuthor: A <a@b.c>`],
  ['a commit as a key', (d) => `"cacheKey":"${d.hex(40)}"`],
  ['a digest', (d) => `sha256:${sha(d, 'sha256', 'hex')}`],
  ['a digest of a token', (d) => `"token_sha256": "${sha(d, 'sha256', 'hex')}"`],
  ['a hash of a password file', (d) => `passwordFileHash = '${sha(d, 'sha256', 'hex')}'`],
  ['a checksum', (d) => `checksum: ${sha(d, 'md5', 'hex')}`],
  ['integrity in a lock file', (d) => `"integrity": "sha512-${sha(d, 'sha512', 'base64')}"`],
  ['an image by digest', (d) => `image: registry.io/app@sha256:${d.hex(64)}`],
  ['an etag', (d) => `ETag: "${d.hex(32)}"`],
  ['a key fingerprint', (d) => `SHA256:${sha(d, 'sha256', 'base64').slice(0, 43)} user@host (ED25519)`],
  ['a public key', (d) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${d.url(43)} user@host`],
  ['a public key in PEM', (d) => `-----BEGIN PUBLIC KEY-----\n${d.any(64)}\n-----END PUBLIC KEY-----`],
  ['a certificate', (d) => `-----BEGIN CERTIFICATE-----\n${d.any(64)}\n${d.any(64)}\n-----END CERTIFICATE-----`],
  ['a header of a private key in a document', () => 'The file starts with -----BEGIN PRIVATE KEY----- and is kept in the vault.'],
  ['a public key under its name', (d) => `publicKey: '${d.url(43)}'`],
  ['a placeholder', () => 'OPENAI_API_KEY=sk-your-api-key-goes-here'],
  ['a placeholder of stars', () => 'token: ghp_************************************'],
  ['a placeholder of x', () => 'GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'],
  ['a placeholder in angles', () => 'export ANTHROPIC_API_KEY="<your-anthropic-key>"'],
  ['the example of a document', () => `aws_access_key_id = AKIA${'IOSFODNN7'}EXAMPLE`],
  ['the example secret of a document', () => `aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY${'EXAMPLEKEY'}`],
  ['a series', () => 'api_key: 0123456789abcdef0123456789abcdef'],
  ['zeros', () => `SLACK_BOT_TOKEN=xoxb-${'0'.repeat(12)}-${'0'.repeat(12)}-${'0'.repeat(24)}`],
  ['the token that documents show', () => `${Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')}.${Buffer.from('{"sub":"1234567890","name":"John Doe","iat":1516239022}').toString('base64url')}.abc`],
  ['a variable', () => 'apiKey: process.env.OPENAI_API_KEY_2,'],
  ['a reference in a workflow', () => 'token: ${{ secrets.GITHUB_TOKEN }}'],
  ['a reference in a shell', () => 'curl -H "Authorization: Bearer $ACCESS_TOKEN_2" https://api.internal'],
  ['a call', () => 'const token = createTokenForSession32(user)'],
  ['a type', () => 'apiKey: string | undefined, secretAccessKey: string'],
  ['a number of tokens', (d) => `"max_tokens": ${d.below(99_999)}, "total_tokens": ${d.below(99_999)}`],
  ['a tokenizer', () => 'tokenizer: cl100k_base_with_special_tokens_v2'],
  ['a model', (d) => `model: claude-sonnet-4-5-2025${d.below(9)}${d.below(9)}29`],
  ['a model with slashes', () => 'auth_model = meta-llama/Llama-3.3-70B-Instruct-Turbo'],
  ['a class of a style sheet', () => '.sk-folding-cube-loading-indicator-wrapper { margin: 0 }'],
  ['a path', () => 'secrets_file = /var/lib/app/secrets/2025/production-credentials-v2.json'],
  ['an address without a password', (d) => `https://user@example.com:8443/path?ref=${d.hex(12)}`],
  ['an address with a placeholder', () => 'postgres://user:password@localhost:5432/app'],
  ['an address with a variable', () => 'redis://:${REDIS_PASSWORD}@cache:6379/0'],
  ['an image in base64', (d) => `src="data:image/png;base64,iVBORw0KGgo${d.any(120)}"`],
  ['minified code', (d) => `var a=function(e,t){return e.key===t.key?1:0},k="${d.of('abcdefgh', 6)}";`],
  ['a range of bytes', (d) => `key_usage: 0x${d.hex(8)} token=0x${d.hex(8)}`],
  ['a time', () => 'tokenExpiresAt: 2026-01-05T10:00:00.000Z'],
  ['a version', () => 'auth-library@10.4.1-beta.20250101120000'],
  ['a translation', () => '"password.reset.token.expired": "Your-password-reset-link-has-expired"'],
  ['a publishable key', (d) => `stripePublishableKey: 'pk_live_${d.any(24)}'`],
  ['a key of a list', (d) => `<li key="item-${d.below(1_000)}-${d.of('abcdef', 8)}">`],
  ['an account', (d) => `account_id: ${d.of('0123456789', 12)}`],
  ['a row of the ledger', (d) => `{"digest":"${d.hex(64)}","kind":"evidence","previous":"${d.hex(64)}"}`],
  ['a trace', (d) => `traceparent: 00-${d.hex(32)}-${d.hex(16)}-01`],
  ['a bearer in prose', () => 'Use bearer token-based-authentication for every request.'],
  ['a basic in prose', () => 'The basic understanding-of-authentication is enough.'],
  ['a domain', (d) => `https://${d.of('abcdefghijkl', 12)}.execute-api.eu-west-1.amazonaws.com/prod`],
  ['a word with a known beginning', () => 'hf_transformers_pretrained_model_weights_cache pat_match_all re_compile_everything_twice'],
  ['a client id', (d) => `client_id = "${d.of('0123456789', 12)}-${d.of('abcdefghijklmnop0123456789', 32)}.apps.googleusercontent.com"`],
]

/** One hundred and sixty-nine clean texts. */
export function cleanSamples(seed: number): readonly Sample[] {
  const draw = new Draw(seed)
  return Array.from({ length: 169 }, (_none, index): Sample => {
    const [kind, make] = LOOK_ALIKES[index % LOOK_ALIKES.length] ?? ['', () => '']
    return { kind, text: `line before\n${make(draw)}\nline after\n`, secret: undefined }
  })
}
