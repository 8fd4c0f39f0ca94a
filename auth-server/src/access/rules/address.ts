/** Owns how e-mail addresses and domains are compared: in one spelling, and only if they are what they look like. */
import { domainToASCII } from 'node:url';

/** ASCII characters that a domain does not have. The conversion below would cut at some of them, or decode them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const NOT_IN_DOMAIN = /[\x00-\x2c\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]/;
const DOMAIN = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)+$/;

/** More than a domain has in any spelling. The time of the conversion below grows with the square of the length. */
const LONGEST = 1_000;

/** The ASCII form (RFC 5891 A-label) in lower case, without a last dot; `undefined` if it is not a domain. */
export function comparableDomain(domain: string): string | undefined {
  if (domain.length > LONGEST || NOT_IN_DOMAIN.test(domain)) return undefined;
  const ascii = domainToASCII(domain.normalize('NFC')).toLowerCase().replace(/\.$/, '');
  return DOMAIN.test(ascii) ? ascii : undefined;
}

/** The conversion of a domain drops some of these characters, and the address would look like another one. */
const UNSEEN = /[\p{C}\u2028\u2029]/u;

/**
 * The address with its domain in ASCII, and its local part in lower case. Only A to Z are changed: other characters that look
 * alike belong to other people.
 * @returns `undefined` if it is not one address
 */
export function comparableEmail(address: string): string | undefined {
  const at = address.lastIndexOf('@');
  const [local, domain] = [address.slice(0, at), comparableDomain(address.slice(at + 1))];
  if (at < 1 || domain === undefined || /[\s@<>,;:"]/.test(local) || UNSEEN.test(address)) return undefined;
  return `${local.replace(/[A-Z]/g, (letter) => letter.toLowerCase())}@${domain}`;
}

export const domainOf = (email: string): string => email.slice(email.lastIndexOf('@') + 1);
