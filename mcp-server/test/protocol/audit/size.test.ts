/** Proves that the size in the audit is the one of the JSON text, and that no value makes it endless. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sizeOf } from '../../../src/protocol/audit/size.ts';

it('the size of a value is the length of its JSON text, without escapes', () => {
  const isWithoutEscapes = (given: unknown) => !JSON.stringify(given).includes('\\');
  const values = fc.jsonValue({ stringUnit: 'grapheme-ascii', maxDepth: 4 }).filter(isWithoutEscapes);
  fc.assert(
    fc.property(values, (given) => {
      expect(sizeOf(given)).toBe(JSON.stringify(given).length);
    }),
  );
  expect(sizeOf({ left: undefined, out: 1 })).toBe('{"out":1}'.length);
});

it('a value that contains itself, or a million others, has a size at once', () => {
  const itself: Record<string, unknown> = {};
  for (const name of ['a', 'b']) itself[name] = itself;
  expect(sizeOf([1, itself])).toBeLessThan(1_000_000);
  expect(sizeOf(new Array(1_000_000).fill(1))).toBeLessThan(50_000);
});
