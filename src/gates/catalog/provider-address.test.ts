import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import * as z from 'zod'
import { verifies } from '../../../test/verifies.ts'
import { classifyAddress, isNetwork } from './address-class.ts'
import { addressPermission, Provider } from './catalog.ts'
import { type ExactPermission, isExactAddress, judgeProviderUrl, judgeResolved } from './provider-address.ts'

const DnsAnswer = z.union([z.array(z.string()), z.object({ error: z.string() })])
const Corpus = z.object({
  dns: z.record(z.string(), z.array(DnsAnswer)),
  entries: z.array(z.object({ id: z.string(), verdict: z.enum(['block', 'allow', 'policy']), recommended: z.string().optional(), stage: z.string(), url: z.string(), redirects: z.array(z.object({ status: z.number(), location: z.string() })).optional() })),
})
const corpus = Corpus.parse(JSON.parse(readFileSync(join(import.meta.dirname, '../../../test/fixtures/ssrf.json'), 'utf8')))

const CLOSED = { privateAddresses: false }
const OPENED = { privateAddresses: true }

/** Where ours differs from the corpus, which is about addresses that strangers give; ours are written by their owner. */
const EXPLICIT_LOOPBACK = new Set(['b031', 'b032', 'b034', 'b035', 'b036'])
/** A base URL has no fragment or query, so what the corpus allows or judges by its host is refused as it is written. */
const NOT_PLAIN = new Set(['a230'])

const providerAt = (baseUrl: string, extra: object = {}) => Provider.safeParse({ dialect: 'openai-chat', baseUrl, networkClass: 'hosted', credential: { source: 'none', class: 'no-secret' }, timeouts: { connect: '1s', firstByte: '1s', idle: '1s', total: '1s' }, ...extra })

/** The judgement of one connection: the URL as it is written, then what its name is resolved to at that moment. */
function mayConnect(url: string, permission: { readonly privateAddresses: boolean }, attempt: number): boolean {
  if (!providerAt(url, permission.privateAddresses ? { allowPrivateAddresses: true } : {}).success) return false
  const judged = judgeProviderUrl(url, permission)
  if (!judged.ok) return false
  if (judged.kind === 'address') return true
  const answers = corpus.dns[judged.host] ?? []
  const answer = answers[Math.min(attempt, answers.length - 1)]
  return Array.isArray(answer) && judgeResolved(judged.host, answer, permission) === undefined
}

verifies('WIR-42', 'the whole corpus of addresses: what may not be called is refused as it is written or as it resolves, on every connection', () => {
  assert.equal(corpus.entries.length, 158)
  for (const { id, verdict, recommended, stage, url } of corpus.entries) {
    // What stands behind a redirect is not asked: redirects are not followed (see the wire's own tests).
    if (stage === 'redirect') continue
    const expected = EXPLICIT_LOOPBACK.has(id) || (verdict === 'policy' ? recommended !== 'block' : verdict === 'allow' && !NOT_PLAIN.has(id))
    const attempts = [0, 1, 2].map((attempt) => mayConnect(url, CLOSED, attempt))
    // A name that rebinds is refused at the connection for which it gives another answer; before that its answer was public.
    if (stage === 'connect') assert.deepEqual(attempts, [true, false, false], id)
    else assert.deepEqual(attempts, [expected, expected, expected], `${id} ${url}`)
  }
})

verifies('WIR-42', 'permission for private addresses opens loopback and private networks and nothing else', () => {
  const opened = new Set(corpus.entries.filter(({ stage, url }) => stage !== 'redirect' && mayConnect(url, OPENED, 0) && !mayConnect(url, CLOSED, 0)).map(({ url }) => URL.parse(url)?.hostname))
  assert.deepEqual(opened, new Set([
    '10.255.255.254', '100.127.255.254', '172.16.0.1', '172.31.255.255', '172.31.44.78', '192.168.0.1', 'a.192.168.0.120.3times.127.0.0.1.1time.repeat.rebind.network',
    'customer1.app.localhost.my.company.127.0.0.1.nip.io', 'foo.localhost', 'host.docker.internal', 'ip6-localhost', 'kubernetes.default.svc', 'localhost', 'mixed.evil.test', 'mixed6.evil.test',
    'printer.local', 'redis', 'v6.evil.test', 'www.fakedomain.fake', '[fc00::1]', '[fd00::1]',
  ]))
})

verifies('WIR-42', 'metadata stays closed with every permission, as an address and behind a name', () => {
  for (const address of ['169.254.169.254', '169.254.170.2', '100.100.100.200', '168.63.129.16', '192.0.0.192', 'fd00:ec2::254', 'fd20:ce::254']) {
    const host = address.includes(':') ? `[${address}]` : address
    const judged = judgeProviderUrl(`http://${host}/v1`, OPENED)
    assert.deepEqual(judged, { ok: false, found: `${address}, an address at which a cloud hands out the credentials of the machine` })
    assert.match(judgeResolved('models.example.com', ['93.184.216.34', address], OPENED) ?? '', /models\.example\.com, which resolves to .*credentials of the machine/)
  }
})

verifies('WIR-42', 'a configuration whose address may not be called does not load, and says why', () => {
  const problems = (baseUrl: string, extra: object = {}): string[] => providerAt(baseUrl, extra).error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? []
  assert.deepEqual(problems('http://127.0.0.1:8000/v1'), [])
  assert.deepEqual(problems('http://[::1]:8000/v1'), [])
  assert.deepEqual(problems('http://10.0.0.5:8000/v1'), ['baseUrl: expected an address that a provider may be called at; this is 10.0.0.5, an address of a private network, without allowPrivateAddresses'])
  assert.deepEqual(problems('http://10.0.0.5:8000/v1', { allowPrivateAddresses: true }), [])
  assert.deepEqual(problems('http://169.254.169.254/v1', { allowPrivateAddresses: true }), ['baseUrl: expected an address that a provider may be called at; this is 169.254.169.254, an address at which a cloud hands out the credentials of the machine'])
  assert.deepEqual(problems('http://2130706433/v1'), ['baseUrl: expected an address that a provider may be called at; this is a host in an unusual spelling; write it as 127.0.0.1'])
  assert.deepEqual(problems('http://127.0.0.1:6379/v1'), [])
  assert.deepEqual(problems('http://93.184.216.34:25/'), ['baseUrl: expected an address that a provider may be called at; this is port 25, which belongs to another protocol'])
  assert.equal(problems('http://[fe80::1%25eth0]/')[0], 'baseUrl: Invalid URL')
  assert.equal(problems('https://api.example.com', { allowPrivateAddresses: false }).length, 1)
})

void test('what is wrong with the text of an address is said without repeating it', () => {
  const found = (url: string): string => {
    const judged = judgeProviderUrl(url, CLOSED)
    return judged.ok ? assert.fail('expected a refusal') : judged.found
  }
  assert.equal(found('https://user:sk-secret-0123456789@api.example.com'), 'an address with a user or a password')
  assert.equal(found('https://api.example.com\\@evil.example'), 'an address with spaces, backslashes or characters beyond ASCII; write a name in punycode')
  assert.equal(found('ftp://api.example.com'), 'something that is not an http or https address')
  assert.equal(found('http:api.example.com'), 'something that is not an http or https address')
})

void test('permission is what the entry says, and nothing is permission by default', () => {
  assert.deepEqual(addressPermission({}), CLOSED)
  assert.deepEqual(addressPermission({ allowPrivateAddresses: true }), OPENED)
})

void test('a name that resolves to nothing, or to no plain address, may not be called', () => {
  assert.equal(judgeResolved('a.example', [], OPENED), 'a.example, which resolves to no address')
  for (const odd of ['', '1.2.3', '01.2.3.4', '1.2.3.4.', 'fe80::1%eth0', 'name', '1.2.3.256', ':::', '12345::']) assert.equal(judgeResolved('a.example', ['93.184.216.34', odd], OPENED), 'a.example, which resolves to something that is no plain address', odd)
})

verifies('WIR-42', 'no IPv4 address can be hidden in an IPv6 one, whichever it is and in whichever form', () => {
  const octet = fc.integer({ min: 0, max: 255 })
  fc.assert(
    fc.property(octet, octet, octet, octet, (a, b, c, d) => {
      const dotted = [a, b, c, d].join('.')
      const hex = (high: number, low: number): string => ((high << 8) | low).toString(16)
      const groups = `${hex(a, b)}:${hex(c, d)}`
      for (const form of [`::ffff:${dotted}`, `::ffff:${groups}`, `::${groups}`, `::ffff:0:${groups}`, `64:ff9b::${groups}`, `64:ff9b:1::${groups}`, `2002:${groups}::1`, `2001:0:${groups}::1`]) {
        const kind = classifyAddress(form)
        assert.ok(kind === 'reserved' || form === '::0:0' || form === '::0:1', `${form} is ${kind}`)
      }
    }),
    { numRuns: 2_000 },
  )
})

/** The judgement of one request to an agent: every hop, each as it is written and then as it resolves. */
function mayAsk(entry: (typeof corpus.entries)[number], permission: ExactPermission, attempt: number): boolean {
  const hops = [entry.url, ...(entry.redirects ?? []).map(({ location }) => location)]
  return hops.every((location, index) => {
    const url = index === 0 ? location : (URL.parse(location, hops[0])?.href ?? location)
    // A redirect is judged as the server wrote it, where that is a whole address: what a parser makes of it may look harmless.
    const judged = judgeProviderUrl(/^[a-z][a-z0-9+.-]*:/i.test(location) ? location : url, permission)
    if (!judged.ok || judged.kind === 'address') return judged.ok
    const answers = corpus.dns[judged.host] ?? []
    const answer = answers[Math.min(attempt, answers.length - 1)]
    return Array.isArray(answer) && judgeResolved(judged.host, answer, permission) === undefined
  })
}

const STRANGER: ExactPermission = { addresses: [], networks: [] }

verifies('RDY-37', 'the whole corpus, for addresses that strangers give: every block is refused and every allow accepted', () => {
  for (const entry of corpus.entries) {
    const expected = entry.verdict === 'allow'
    const attempts = [0, 1, 2].map((attempt) => mayAsk(entry, STRANGER, attempt))
    if (entry.stage === 'connect') assert.deepEqual(attempts, [true, false, false], entry.id)
    else assert.deepEqual(attempts, [expected, expected, expected], `${entry.id} ${entry.url}`)
  }
})

verifies('RDY-37', 'what is listed opens that very address and port, or that very network, and nothing beside it', () => {
  const judged = (url: string, permission: ExactPermission): boolean => judgeProviderUrl(url, permission).ok
  const listed: ExactPermission = { addresses: ['127.0.0.1:4101', '[::1]:4101', '10.0.0.5:80'], networks: ['10.20.0.0/16', 'fd00:1::/32'] }
  for (const url of ['http://127.0.0.1:4101/card', 'http://[::1]:4101/', 'http://10.0.0.5/', 'http://10.20.255.1:9000/', 'http://[fd00:1::7]/']) assert.ok(judged(url, listed), url)
  for (const url of ['http://127.0.0.1:4102/', 'http://127.0.0.2:4101/', 'http://127.0.0.1/', 'https://10.0.0.5/', 'http://10.21.0.1/', 'http://[fd00:2::7]/', 'http://169.254.169.254/']) assert.ok(!judged(url, listed), url)
  assert.equal(judgeResolved('a.example', ['10.20.3.4'], listed), undefined)
  // A name never leads to this machine, whatever is listed: who answers for it may answer otherwise the next time.
  for (const address of ['127.0.0.1', '10.0.0.5', '10.21.0.1', '169.254.169.254']) assert.match(judgeResolved('a.example', [address], listed) ?? '', /which resolves to/, address)
  const metadata: ExactPermission = { addresses: ['169.254.169.254:80', '100.100.100.200:80'], networks: ['169.254.0.0/16', '0.0.0.0/1'] }
  for (const url of ['http://169.254.169.254/', 'http://100.100.100.200/', 'http://127.0.0.1/']) assert.ok(!judged(url, metadata), url)
})

void test('an exact address has a port, and a network is written by its first address', () => {
  for (const text of ['127.0.0.1:4101', '[::1]:4101', '10.0.0.5:443']) assert.ok(isExactAddress(text), text)
  for (const text of ['127.0.0.1', 'localhost:4101', '127.1:4101', '127.0.0.1:04101', '127.0.0.1:4101/x', 'user@127.0.0.1:1', '']) assert.ok(!isExactAddress(text), text)
  for (const text of ['10.20.0.0/16', 'fd00::/8', '10.0.0.5/32']) assert.ok(isNetwork(text), text)
  for (const text of ['10.20.0.1/16', '10.20.0.0', '10.20.0.0/33', '0.0.0.0/0', 'fd00::1/8', 'x/8', '10.0.0.0/08']) assert.ok(!isNetwork(text), text)
})
