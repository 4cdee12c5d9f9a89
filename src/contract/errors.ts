/**
 * Faults: what is not a refusal of a gate but a wrong call or a broken world. `exit` 2 is the caller's mistake, 1 is ours
 * or the machine's. Refusals are values (see verdict.ts and reasons.ts); only faults are thrown.
 */
export const ERROR_TABLE = {
  usage: { title: 'The command cannot be carried out as it was given', http: 400, exit: 2 },
  file_missing: { title: 'A file was not found', http: 404, exit: 2 },
  file_unreadable: { title: 'A file could not be read', http: 500, exit: 2 },
  file_exists: { title: 'A file is there already', http: 409, exit: 2 },
  file_unwritable: { title: 'A file could not be written', http: 500, exit: 2 },
  configuration_invalid: { title: 'The configuration is not valid', http: 422, exit: 2 },
  task_invalid: { title: 'The task is not valid', http: 422, exit: 2 },
  script_invalid: { title: 'The script of the provider is not valid', http: 422, exit: 2 },
  import_invalid: { title: 'The file cannot be imported', http: 422, exit: 2 },
  run_not_found: { title: 'The ledger holds no such run', http: 404, exit: 2 },
  key_missing: { title: 'There is no key to sign or to verify with', http: 500, exit: 2 },
  key_invalid: { title: 'A key cannot be used', http: 500, exit: 2 },
  access_denied: { title: 'No access', http: 401, exit: 2 },
  access_forbidden: { title: 'This kind of token may not do that', http: 403, exit: 2 },
  attempts_limited: { title: 'Too many failed attempts', http: 429, exit: 2 },
  origin_refused: { title: 'The request may come from a web page of somebody else', http: 403, exit: 2 },
  route_unknown: { title: 'The server has no such route', http: 404, exit: 2 },
  request_invalid: { title: 'The request is not valid', http: 422, exit: 2 },
  media_type_refused: { title: 'The body is not application/json', http: 415, exit: 2 },
  body_too_large: { title: 'The body is larger than the server takes', http: 413, exit: 2 },
  idempotency_key_reused: { title: 'The key was used for another request', http: 422, exit: 2 },
  outcome_unknown: { title: 'A request with this key began, and has no answer that can be given again', http: 409, exit: 2 },
  token_not_found: { title: 'There is no such token', http: 404, exit: 2 },
  ticket_not_found: { title: 'There is no such ticket', http: 404, exit: 2 },
  ticket_conflict: { title: 'Somebody else changed the ticket at the same time', http: 409, exit: 2 },
  claim_lost: { title: 'The claim on the run was taken over', http: 409, exit: 1 },
  actor_mismatch: { title: 'The name belongs to somebody of another kind', http: 403, exit: 2 },
  nothing_stored: { title: 'Nothing of this kind is stored', http: 404, exit: 2 },
  server_draining: { title: 'The server is shutting down', http: 503, exit: 1 },
  server_unreachable: { title: 'The server gave no answer', http: 502, exit: 1 },
  port_taken: { title: 'The address is already in use', http: 500, exit: 1 },
  tool_missing: { title: 'A program that is needed is not installed', http: 500, exit: 1 },
  store_failed: { title: 'The ledger could not be read or written', http: 503, exit: 1 },
  store_busy: { title: 'Another process holds the ledger', http: 503, exit: 1 },
  store_tampered: { title: 'The ledger is not as the run wrote it', http: 500, exit: 1 },
  secret_withheld: { title: 'A credential was about to be stored', http: 500, exit: 1 },
  proof_forged: { title: 'A proof was not made by its gate', http: 500, exit: 1 },
  unexpected: { title: 'An unexpected fault', http: 500, exit: 1 },
} as const satisfies Record<string, { title: string; http: number; exit: 1 | 2 }>

export type ErrorCode = keyof typeof ERROR_TABLE

/** A fault that says what was asked, what was found and what to do. Its text must never quote a credential or an argv. */
export class PortcullisError extends Error {
  override readonly name = 'PortcullisError'
  readonly code: ErrorCode
  readonly asked: string
  readonly found: string
  readonly remedy: string

  constructor(code: ErrorCode, details: { asked: string; found: string; remedy: string; cause?: unknown }) {
    super(`${ERROR_TABLE[code].title}: ${details.found}`, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.asked = details.asked
    this.found = details.found
    this.remedy = details.remedy
  }
}

/** The error code of a system call (`ENOENT`), or undefined. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
