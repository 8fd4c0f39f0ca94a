/**
 * Owns the characters that a terminal or an editor obeys (CWE-150): control characters, the line ends of Unicode, and those that
 * turn or hide text. Others have a say in what is logged and listed, but not in how it is read.
 */

export const OBEYED = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Nearly all text has nothing else, and the test for it costs a tenth of the other. */
const PLAIN = /^[\x20-\x7e]*\n?$/;

/** Every such character as `\u009b`, which is also how JSON writes it. */
export const visible = (text: string): string => (PLAIN.test(text) ? text : text.replace(OBEYED, written));

/** The same for JSON, whose own line ends stay: within its texts JSON has escaped them. */
export const visibleJson = (json: string): string =>
  PLAIN.test(json) ? json : json.replace(OBEYED, (character) => (character === '\n' ? character : written(character)));

/** Those beyond U+FFFF are two units. */
const written = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');
