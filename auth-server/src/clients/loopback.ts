/**
 * Owns which loopback redirect URIs are equivalent (RFC 8252 §7.3, §8.3): `localhost`, `127.0.0.1` and `[::1]` are this machine,
 * and a native app uses any free port. Path and query are compared exactly.
 */

/** Matches a loopback host and an optional port exactly as written: user information or another spelling does not match. */
const LOOPBACK = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(:\d{0,5})?(?=[/?]|$)/i;

/** A port above 65535 is not a valid URL. */
export const isLoopbackUri = (redirectUri: string): boolean => LOOPBACK.test(redirectUri) && URL.canParse(redirectUri);

/** Returns the same text for all equivalent loopback redirect URIs, and every other URI unchanged. */
export const placeOf = (redirectUri: string): string => redirectUri.replace(LOOPBACK, 'http://loopback');

/** The same with the port: only one program listens there, whatever the host name. */
export const listenerOf = (redirectUri: string): string => redirectUri.replace(LOOPBACK, 'http://loopback$1');
