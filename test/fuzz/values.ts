/** Owns odd values: JSON as text of every type, words with a special meaning, and bytes that a header can have. */
import fc from 'fast-check';
import { ODD_VALUES } from '../../mcp-server/test/support/odd-values.ts';

/** Any text: control characters, lone surrogates, characters that change the direction of text. */
export const oddText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ maxLength: 40 }) },
  fc.constantFrom('', ' ', '.', '..', '/', '\\', '%00', '%', '%zz', '%c0%ae', '\u0000', '\r\n', '\u2028', '\u202e', '\ud800', '\udc00\ud800'),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null', 'undefined', 'NaN', '-1', '1e400', '[object Object]'),
  fc.constantFrom(' ', '\u0000', '\ud83d', 'é', '"', '<script>').chain((unit) => fc.integer({ min: 1, max: 3_000 }).map((n) => unit.repeat(n))),
); // biome-ignore format: one list

/** JSON as text, including text that JSON.stringify never writes. */
export const oddJson: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...ODD_VALUES),
  fc.json({ maxDepth: 4 }),
  oddText.map((text) => JSON.stringify(text)),
  fc.integer().map(String),
);

/** An object as text, with members of these names beside or instead of the valid ones. */
export function oddObject(
  good: Readonly<Record<string, unknown>>,
  names: readonly string[],
  most = 3,
): fc.Arbitrary<string> {
  const odd = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...names), oddText), oddJson), {
    minLength: 1,
    maxLength: most,
  });
  return fc.tuple(odd, fc.subarray(Object.keys(good)), fc.boolean()).map(([members, kept, first]) => {
    const oddOnes = members.map(([name, value]) => `${JSON.stringify(name)}:${value}`);
    const replaced = new Set(members.map(([name]) => name));
    const names = kept.length % 2 === 0 ? Object.keys(good) : kept;
    const goodOnes = names
      .filter((name) => good[name] !== undefined && (first || !replaced.has(name)))
      .map((name) => `${JSON.stringify(name)}:${JSON.stringify(good[name])}`);
    return `{${(first ? [...oddOnes, ...goodOnes] : [...goodOnes, ...oddOnes]).join(',')}}`;
  });
}

/** Bytes of a header's value, as latin1, without line ends, which would begin another header. */
export const headerValue: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 60 }),
  fc.string({ maxLength: 60 }),
  fc.constantFrom('', ' ', ',', ';', '=', '"', '*', '*/*', 'null', '0', '-1', '1e9', '9999999999999999999', 'gzip', 'identity', 'chunked'),
  fc.integer({ min: 1, max: 6_000 }).map((n) => 'x'.repeat(n)),
).map((text) => text.replace(/[\r\n]/g, ' ')); // biome-ignore format: one list

/** Mostly text that a parser accepts. */
export const fieldValue: fc.Arbitrary<string> = fc.oneof(
  { weight: 30, arbitrary: headerValue.map((text) => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '')) },
  { weight: 1, arbitrary: headerValue },
);
