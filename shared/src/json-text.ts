/**
 * Owns the JSON text that leaves this server: every string in it is well formed. Half of a surrogate pair, such as what is left
 * of an emoji that was cut in two, makes strict parsers refuse the whole document (RFC 8259 §8.2).
 */

/** `JSON.stringify` writes lone surrogates as escapes that begin so, and nothing else but a backslash before `ud`. */
const SUSPECT = '\\ud';

/** One escape at a time, so that an escaped backslash before `ud83d` is not taken for the beginning of one. */
const ESCAPE = /\\(?:ud[89a-f][0-9a-f]{2}|.)/g;

const REPLACEMENT = '\ufffd';

/** As `JSON.stringify`, with U+FFFD for each lone surrogate, in values and in the names of members. */
export const jsonText = (value: unknown): string => wellFormed(JSON.stringify(value));

/** The same for what `JSON.stringify` has written. */
export const wellFormed = (text: string): string => (text.includes(SUSPECT) ? withoutLoneSurrogates(text) : text);

/** The same for a line of the log, which others have written: its members stay as they are. */
export const wellFormedLine = (line: string): string => (line.includes(SUSPECT) ? replaced(line) : line);

const replaced = (text: string): string => text.replace(ESCAPE, (one) => (one.startsWith(SUSPECT) ? REPLACEMENT : one));

function withoutLoneSurrogates(text: string): string {
  const whole = replaced(text);
  // Two names may have become one: a document with a name twice is as unpredictable (RFC 8259 §4).
  return whole === text ? text : JSON.stringify(JSON.parse(whole));
}
