import * as z from 'zod'
import { JsonShape } from './json-shape.ts'
import { AllowsWrites, Expression, HttpStatus, ProbeEnvironment, ProbeService, ProbeTimeout, RequestPath } from './probe-parts.ts'

/** Requests that a record can still hold whole. */
export const REQUESTS_AT_MOST = 30

export const DeclaredRequest = z
  .strictObject({
    method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']),
    path: RequestPath,
    body: z.json().optional().describe('Sent as JSON.'),
    status: HttpStatus.describe('The status that passes.'),
    headers: z.record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'expected the name of a header'), Expression).optional().describe('Headers that the answer must have, each with a regular expression that its value must match.'),
    json: JsonShape.optional().describe('What the answer must look like, as JSON.'),
  })
  .refine(({ method, body }) => body === undefined || !['GET', 'HEAD'].includes(method), 'expected no body: GET and HEAD carry none')
  .refine(({ method, json }) => json === undefined || method !== 'HEAD', 'expected no json: an answer to HEAD has no body')
export type DeclaredRequest = z.infer<typeof DeclaredRequest>

/**
 * A service that must answer as declared (ACC-50). What every service must do is not left to the definition: an unknown
 * path is answered with 404, a body that is no JSON with 4xx, it lives on after that, and it ends when asked to.
 */
export const ApiSmokeProbe = z
  .strictObject({
    kind: z.literal('api_smoke'),
    timeout: ProbeTimeout,
    service: ProbeService,
    requests: z.array(DeclaredRequest).min(1).max(REQUESTS_AT_MOST).describe('What is asked of the service, in order.'),
    unknownPath: RequestPath.describe('A path that the service does not have; it must answer 404.'),
    malformedBody: z.strictObject({ method: z.enum(['POST', 'PUT', 'PATCH']), path: RequestPath }).describe('Where a body that is no JSON is sent; it must be answered with 4xx.'),
    environment: ProbeEnvironment.optional(),
    allowsWrites: AllowsWrites.optional(),
  })
  .check((context) => {
    const { requests, unknownPath, malformedBody } = context.value
    if (requests.some(({ path, status }) => path === unknownPath && status !== 404)) context.issues.push({ code: 'custom', path: ['unknownPath'], input: unknownPath, message: 'expected a path that no request is declared for' })
    // Sent to a path that takes no body at all, it would be refused for another reason than its form.
    const takesBody = requests.filter(({ body }) => body !== undefined)
    if (takesBody.length > 0 && !takesBody.some(({ method, path }) => method === malformedBody.method && path === malformedBody.path)) {
      context.issues.push({ code: 'custom', path: ['malformedBody'], input: malformedBody, message: 'expected method and path of a request that is declared with a body' })
    }
  })
export type ApiSmokeProbe = z.infer<typeof ApiSmokeProbe>
