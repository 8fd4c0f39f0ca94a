/**
 * Ensures that every string in outgoing JSON is well-formed. Half of a surrogate pair, such as the rest of an emoji that was cut in
 * two, makes strict parsers refuse the whole document (RFC 8259 §8.2).
 */

/** `JSON.stringify` writes lone surrogates as escapes with this prefix; otherwise only a backslash before `ud` looks like it. */
const SUSPECT = '\\ud';

/** Matches one escape at a time, so that an escaped backslash before `ud83d` is not mistaken for a surrogate. */
const ESCAPE = /\\(?:ud[89a-f][0-9a-f]{2}|.)/g;

const REPLACEMENT = '\ufffd';

/** Characters that JSON writes as they are: nearly all texts have no others, and this test costs a third of `JSON.stringify`. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** A string in JSON. */
export const quoted = (text: string): string => (PLAIN.test(text) ? `"${text}"` : jsonText(text));

/** Like `JSON.stringify`, with U+FFFD for each lone surrogate in values and member names. */
export const jsonText = (value: unknown): string => wellFormed(JSON.stringify(value));

/** The same for the output of `JSON.stringify`. */
export const wellFormed = (text: string): string => (text.includes(SUSPECT) ? withoutLoneSurrogates(text) : text);

/** The same for a log line of another library: its members stay unchanged. */
export const wellFormedLine = (line: string): string => (line.includes(SUSPECT) ? replaced(line) : line);

const replaced = (text: string): string => text.replace(ESCAPE, (one) => (one.startsWith(SUSPECT) ? REPLACEMENT : one));

function withoutLoneSurrogates(text: string): string {
  const whole = replaced(text);
  // Two names may have become equal: a document with a duplicate name is unpredictable (RFC 8259 §4).
  return whole === text ? text : JSON.stringify(JSON.parse(whole));
}

/** Where JSON.parse failed, as ` (line 1 column 8)`, if it says so. The rest of its message quotes the text, in which a secret may be. */
export const placeOf = (error: unknown): string =>
  / \(line \d+ column \d+\)/.exec(error instanceof Error ? error.message : '')?.[0] ?? '';
