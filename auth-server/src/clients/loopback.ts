/**
 * Owns which loopback redirect URIs are one place (RFC 8252 §7.3, §8.3): `localhost`, `127.0.0.1` and `[::1]` are this machine,
 * and a native app takes whatever port is free. Path and query are compared to the letter.
 */

/** Matches a loopback host and an optional port exactly as written: user information or another spelling is another address. */
const LOOPBACK = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(:\d{0,5})?(?=[/?]|$)/i;

/** A port above 65535 makes it no URL. */
export const isLoopbackUri = (redirectUri: string): boolean => LOOPBACK.test(redirectUri) && URL.canParse(redirectUri);

/** Gives the same text for all redirect URIs of one place, and every other URI unchanged. */
export const placeOf = (redirectUri: string): string => redirectUri.replace(LOOPBACK, 'http://loopback');

/** The same with the port: what listens there is one program, by whichever name it is called. */
export const listenerOf = (redirectUri: string): string => redirectUri.replace(LOOPBACK, 'http://loopback$1');
