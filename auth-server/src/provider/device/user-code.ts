/** Owns the user code (RFC 8628 §6.1): eight consonants in two groups, 34.5 bits, without letters that look or sound alike. */

export const CHARSET = 'base-20';
export const MASK = '****-****';
const GROUP = 4;

/** The code as the device shows it; it is stored without the hyphen. */
export const shown = (code: string): string => `${code.slice(0, GROUP)}-${code.slice(GROUP)}`;

/** Longer than any way to type a code. */
const LONGEST = 20;

/** What a person typed, or what a link says: text for the page, and nothing else. */
export const typed = (code: unknown): string => (typeof code === 'string' ? code.slice(0, LONGEST) : '');
