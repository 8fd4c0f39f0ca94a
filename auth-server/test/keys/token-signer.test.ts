/** Proves that tokens are signed as every library reads them: RFC 7515 §7.1, with the signatures of RFC 7518 §3.4 and RFC 8037 §3.1. */
import { compactVerify, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { ALGORITHMS, generateSigningKey, publicPart } from '../../src/keys/signing-key.ts';
import { createTokenSigner } from '../../src/keys/token-signer.ts';

describe('RFC 7515 §7.1 a signed token', () => {
  it.each(ALGORITHMS)('a token signed by %s verifies by the public part of its key, and names it', async (alg) => {
    const key = await generateSigningKey(alg);
    const claims = { sub: 'Zoë', nested: { list: ['€', 1, null] }, left: undefined };
    const token = await createTokenSigner(key, 'at+jwt')(claims);
    const { payload, protectedHeader } = await compactVerify(token, await importJWK(publicPart(key), alg));
    expect(protectedHeader).toEqual({ alg, typ: 'at+jwt', kid: key.kid });
    expect(JSON.parse(new TextDecoder().decode(payload))).toEqual({ sub: 'Zoë', nested: { list: ['€', 1, null] } });
  });

  it('RFC 7518 §3.4 every signature by ES256 has 64 octets, also of small numbers', async () => {
    const key = await generateSigningKey('ES256');
    const verifying = await importJWK(publicPart(key), 'ES256');
    const sign = createTokenSigner(key, 'at+jwt');
    // A number has a leading zero octet in one of 128 signatures.
    for (let count = 0; count < 1_000; count += 1) {
      const token = await sign({ count });
      expect(Buffer.from(token.split('.')[2] ?? '', 'base64url')).toHaveLength(64);
      await compactVerify(token, verifying);
    }
  });
});
