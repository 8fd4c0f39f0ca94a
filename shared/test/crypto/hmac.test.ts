/** Proves that our HMAC-SHA-256 is that of the standard, by its test cases and by that of node:crypto. */
import { createHmac, createSecretKey } from 'node:crypto';
import { hmacWith } from '@mcp-oauth/shared/crypto/hmac';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const hex = (text: string): string => Buffer.from(text, 'base64url').toString('hex');
const bytes = (length: number, value: number): Buffer => Buffer.alloc(length, value);

describe('HMAC-SHA-256', () => {
  it.each([
    ['1', bytes(20, 0x0b), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    ['2', Buffer.from('Jefe'), 'what do ya want for nothing?', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
    ['6', bytes(131, 0xaa), 'Test Using Larger Than Block-Size Key - Hash Key First', '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54'],
  ])('RFC 4231 §4: test case %s', (_, key, text, mac) => {
    expect(hex(hmacWith(createSecretKey(key))(text))).toBe(mac);
  }); // biome-ignore format: one case a line

  it('RFC 2104 §2: any key and texts of any length have the MAC of node:crypto, one after the other', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.integer({ min: 1_300, max: 9_000 }).map((n) => 'é'.repeat(n)),
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 100 }),
        fc.array(text, { maxLength: 2 }),
        (secret, texts) => {
          const key = createSecretKey(secret);
          const mac = hmacWith(key);
          for (const one of [...texts, 'short', ...texts])
            expect(mac(one)).toBe(createHmac('sha256', key).update(one).digest('base64url'));
        },
      ),
    );
  });
});
