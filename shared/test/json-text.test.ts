/** Owns the proof that JSON text has no lone surrogates, wherever they stand in a value. */
import { describe, expect, it } from 'vitest';
import { jsonText } from '../src/json-text.ts';

const HIGH = '\ud83d';
const LOW = '\udc18';

describe('JSON text', () => {
  it('RFC 8259 §8.2 has U+FFFD for each half of a surrogate pair', () => {
    expect(jsonText(`Elephants ${HIGH}`)).toBe('"Elephants \ufffd"');
    expect(jsonText([LOW, `${LOW}${HIGH}`, `a${HIGH}b`])).toBe('["\ufffd","\ufffd\ufffd","a\ufffdb"]');
    expect(jsonText({ [HIGH]: { [`x${LOW}`]: [HIGH] } })).toBe('{"\ufffd":{"x\ufffd":["\ufffd"]}}');
  });

  it.each([
    'Elephants 🐘',
    '\\ud83d as somebody wrote it',
    '\\\\ud83d',
    '\u{10ffff}\ud7ff\ue000\ufffd',
    '\n\t\u0000\u001f"\\',
    '',
    'd800 \\u d800 \\ud8',
  ])('leaves what is well formed as it is: %j', (text) => {
    for (const value of [text, [text], { [text]: text }]) expect(jsonText(value)).toBe(JSON.stringify(value));
  });

  it('finds a lone surrogate behind backslashes', () => {
    expect(JSON.parse(jsonText(`\\${HIGH}\\ud83d\\\\${LOW}`))).toBe('\\\ufffd\\ud83d\\\\\ufffd');
  });

  it('RFC 8259 §4 has no name twice when two of them have become the same', () => {
    expect(JSON.parse(jsonText({ [HIGH]: 1, [LOW]: 2 }))).toEqual({ '\ufffd': 2 });
    expect(jsonText({ [HIGH]: 1, [LOW]: 2 }).match(/\ufffd/g)).toHaveLength(1);
  });

  it('agrees with toWellFormed for every unit of UTF-16', () => {
    for (let unit = 0; unit <= 0xffff; unit += 1) {
      const text = `a${String.fromCharCode(unit)}b`;
      if (JSON.parse(jsonText(text)) !== text.toWellFormed()) expect.fail(`U+${unit.toString(16)}`);
    }
  });
});
