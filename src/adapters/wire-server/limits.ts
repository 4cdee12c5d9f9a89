/** What one request may be, whoever sends it. These bound the wire itself; the limits of a run are in its profile. */
/** The same limit holds for what a compressed body holds, which may be a thousand times as much as was sent. */
export const MAX_REQUEST_BYTES = 32 * 1_048_576
export const MAX_HEADER_BYTES = 32_768
/** An error answer of a provider is held whole, to take the credential out of it. */
export const MAX_ERROR_ANSWER_BYTES = 1_048_576
/** How long a client may take to send its headers, and its whole request. Slower ones hold a socket for nothing (WIR-40). */
export const HEADERS_TIMEOUT_MS = 10_000
export const REQUEST_TIMEOUT_MS = 120_000
/** How long an idle connection of a client is kept. */
export const KEEP_ALIVE_TIMEOUT_MS = 65_000
/** How long a client may take to read the error that ends its stream before its connection is cut all the same. */
export const LAST_WORD_TIMEOUT_MS = 1_000
/** How long a call waits for what its licence rests on to be read again, after a moment in which nothing was, and how often it looks. */
export const CATCH_UP_MS = 1_000
export const CATCH_UP_LOOK_MS = 20
