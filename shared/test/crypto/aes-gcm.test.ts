/** Owns the proof of authenticated encryption: what comes back, and what does not. */
import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decrypt, type Encrypted, encrypt } from '../../src/crypto/aes-gcm.ts';

const key = Buffer.alloc(32, 7);

const flipped = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte, index) => (index === 0 ? byte ^ 1 : byte)));

describe('NIST SP 800-38D AES-256-GCM', () => {
  it('gives back every text in its context', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, context) => {
        expect(decrypt(key, encrypt(key, text, context), context)).toBe(text);
      }),
    );
  });

  it('reads what the same cipher has written elsewhere', () => {
    const nonce = Buffer.alloc(12, 1);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from('here'));
    const text = Buffer.concat([cipher.update('secret'), cipher.final()]);
    expect(decrypt(key, { nonce, text, tag: cipher.getAuthTag() }, 'here')).toBe('secret');
  });

  it.each<[string, (encrypted: Encrypted) => Encrypted]>([
    ['another text', (one) => ({ ...one, text: flipped(one.text) })],
    ['another nonce', (one) => ({ ...one, nonce: flipped(one.nonce) })],
    ['another tag', (one) => ({ ...one, tag: flipped(one.tag) })],
    ['a shorter tag', (one) => ({ ...one, tag: one.tag.subarray(0, 12) })],
    ['no nonce', (one) => ({ ...one, nonce: Buffer.alloc(0) })],
  ])('gives nothing for %s', (_, change) => {
    expect(decrypt(key, change(encrypt(key, 'secret', 'here')), 'here')).toBeUndefined();
  });

  it('gives nothing in another context or with another key', () => {
    const encrypted = encrypt(key, 'secret', 'here');
    expect(decrypt(key, encrypted, 'there')).toBeUndefined();
    expect(decrypt(Buffer.alloc(32, 8), encrypted, 'here')).toBeUndefined();
  });

  it('never uses a nonce twice', () => {
    const nonces = Array.from({ length: 100 }, () => Buffer.from(encrypt(key, '', '').nonce).toString('hex'));
    expect(new Set(nonces).size).toBe(100);
  });
});
