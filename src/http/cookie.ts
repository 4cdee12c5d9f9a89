/** The prefix has a browser refuse it from any other host, and without Secure. */
export const SESSION_COOKIE = '__Host-portcullis'
