/** Name of the session cookie. The prefix makes browsers insist on Secure, Path=/ and no Domain. */
export const SESSION_COOKIE = '__Host-leadway-session';
