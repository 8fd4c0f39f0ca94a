/**
 * Owns the characters that control a terminal or an editor (CWE-150): control characters, line separators of Unicode, and characters
 * that reverse or hide text. Others may influence what is logged and listed, but not how it is displayed.
 */

export const OBEYED = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Matches nearly all text, and costs a tenth of the other test. */
const PLAIN = /^[\x20-\x7e]*\n?$/;

/** Writes every such character as `\u009b`, like JSON. */
export const visible = (text: string): string => (PLAIN.test(text) ? text : text.replace(OBEYED, written));

/** The same for JSON text, whose line ends stay: in strings JSON has already escaped them. */
export const visibleJson = (json: string): string =>
  PLAIN.test(json) ? json : json.replace(OBEYED, (character) => (character === '\n' ? character : written(character)));

/** Characters above U+FFFF are two units. */
const written = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');
