/** Proves that only this server can read, create or change sealed values (MCP 2026-07-28 basic/patterns/mrtr). */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seal, unseal } from '../../src/keys/seal.ts';
import { configuredKeys } from '../../src/keys/sealing-keys.ts';

const keys = configuredKeys([randomBytes(32)]);

describe('MCP 2026-07-28 basic/patterns/mrtr: sealing', () => {
  it('a sealed text is opened unchanged, whatever it contains', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 2_000 });
    await fc.assert(
      fc.asyncProperty(text, fc.string(), async (plain, context) => {
        expect(await unseal(keys, await seal(keys, plain, context), context)).toBe(plain.toWellFormed());
      }),
    );
  });

  it('a text sealed twice gives two different results', async () => {
    expect(await seal(keys, 'text', 'here')).not.toBe(await seal(keys, 'text', 'here'));
  });

  it('a sealed text reveals only its length', async () => {
    expect(await seal(keys, 'a secret answer', 'here')).toMatch(/^[\w-]{8}\.[\w-]{58}$/);
  });

  it('a sealed text cannot be opened in another context or with other keys', async () => {
    const sealed = await seal(keys, 'text', 'here');
    expect(await unseal(keys, sealed, 'there')).toBeUndefined();
    expect(await unseal(configuredKeys([randomBytes(32)]), sealed, 'here')).toBeUndefined();
  });

  it('an altered sealed text cannot be opened', async () => {
    const sealed = await seal(keys, 'text', 'here');
    const spot = fc.nat(sealed.length - 1);
    const alterations = fc.oneof(
      fc
        .tuple(spot, fc.string({ minLength: 1, maxLength: 3 }))
        .map(([at, s]) => sealed.slice(0, at) + s + sealed.slice(at)),
      fc.tuple(spot, fc.integer({ min: 1, max: 9 })).map(([at, n]) => sealed.slice(0, at) + sealed.slice(at + n)),
      fc
        .tuple(spot, fc.string({ minLength: 1, maxLength: 1 }))
        .map(([at, s]) => sealed.slice(0, at) + s + sealed.slice(at + 1)),
      fc.string().map((s) => sealed + s),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(alterations, async (altered) => {
        fc.pre(altered !== sealed);
        expect(await unseal(keys, altered, 'here')).toBeUndefined();
      }),
      { numRuns: 3_000 },
    );
  });
});
