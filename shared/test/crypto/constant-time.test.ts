/** Owns the proof that the comparison in constant time is a comparison. */
import fc from 'fast-check';
import { it } from 'vitest';
import { equalInConstantTime } from '../../src/crypto/constant-time.ts';

it('CWE-208 the comparison in constant time agrees with the usual one for well-formed text', () => {
  const text = fc.string({ unit: 'binary', maxLength: 4 });
  fc.assert(fc.property(text, text, (one, other) => equalInConstantTime(one, other) === (one === other)));
  fc.assert(fc.property(text, (one) => equalInConstantTime(one, one)));
});
