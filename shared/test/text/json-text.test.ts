/** Proves that JSON text contains no lone surrogates, wherever they are in a value (RFC 8259 §8.2). */
import { describe, expect, it } from 'vitest';
import { jsonText } from '../../src/text/json-text.ts';

const HIGH = '\ud83d';
const LOW = '\udc18';

describe('JSON text', () => {
  it('RFC 8259 §8.2 a lone surrogate is written as U+FFFD', () => {
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
  ])('well-formed text stays unchanged: %j', (text) => {
    for (const value of [text, [text], { [text]: text }]) expect(jsonText(value)).toBe(JSON.stringify(value));
  });

  it('a lone surrogate is found behind backslashes', () => {
    expect(JSON.parse(jsonText(`\\${HIGH}\\ud83d\\\\${LOW}`))).toBe('\\\ufffd\\ud83d\\\\\ufffd');
  });

  it('RFC 8259 §4 two names that become the same are written once', () => {
    expect(JSON.parse(jsonText({ [HIGH]: 1, [LOW]: 2 }))).toEqual({ '\ufffd': 2 });
    expect(jsonText({ [HIGH]: 1, [LOW]: 2 }).match(/\ufffd/g)).toHaveLength(1);
  });

  it('the result agrees with toWellFormed for every UTF-16 code unit', () => {
    for (let unit = 0; unit <= 0xffff; unit += 1) {
      const text = `a${String.fromCharCode(unit)}b`;
      if (JSON.parse(jsonText(text)) !== text.toWellFormed()) expect.fail(`U+${unit.toString(16)}`);
    }
  });
});
