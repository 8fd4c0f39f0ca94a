/**
 * Proves which key of an issuer's key set verifies which token: sets with odd members, with one key id for several
 * keys, and with none (RFC 7517 §5).
 */
import { randomBytes } from 'node:crypto';
import type { JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { PING, post, startHarness } from '../../support/http-harness.ts';
import { type SigningKey, signingKey, signToken } from '../../support/issuer.ts';

let signer: SigningKey;
let other: SigningKey;
let rsa: SigningKey;
beforeAll(async () => {
  [signer, other, rsa] = await Promise.all([signingKey('a'), signingKey('a'), signingKey('a', 'RS256')]);
});

/** The answer to a token with this `kid` while the issuer's key set has these members. */
async function answer(members: readonly unknown[], { kid = 'a' as unknown, key = signer } = {}) {
  await using server = await startHarness();
  server.issuer.keys.splice(0, 1, ...(members as JWK[]));
  const token = await signToken({ key, claims: server.claims(), header: { kid: kid as string } });
  const { status } = await server.fetch('/mcp', post(token, PING));
  return {
    status,
    log: server.log.join(''),
    requests: server.issuer.requests.filter((path) => path === '/jwks').length,
  };
}

const nameless = ({ publicJwk: { kid: _, ...jwk } }: SigningKey): JWK => jwk;

describe('RFC 7517 §5 a key set is read member by member', () => {
  it.each<[string, (good: JWK) => unknown[]]>([
    ['a member without kty', (good) => [{ kid: 'b', use: 'sig' }, good]],
    ['a member that is null', (good) => [null, good]],
    ['a member that is text', (good) => ['x', good]],
    ['a member that is a number', (good) => [good, 5]],
    ['a member that is a list', (good) => [[good], good]],
    ['an empty member', (good) => [{}, good]],
    ['a kty that is no text', (good) => [{ kty: 5 }, { kty: { a: 1 } }, good]],
    ['a key without its material', (good) => [{ kty: 'EC', kid: 'a', crv: 'P-256' }, { kty: 'RSA', kid: 'a' }, good]],
    ['a point that is not on its curve', (good) => [{ ...good, x: good.y }, good]],
    ['material that is no base64url', (good) => [{ ...good, x: '!!!' }, { ...good, y: 7 }, good]],
    ['an unknown curve', (good) => [{ ...good, crv: 'P-999' }, good]],
    [
      'a key type that is not for signatures here',
      (good) => [{ kty: 'AKP', kid: 'a', pub: 'AA' }, { kty: 'oct', k: 'AA' }, good],
    ],
    ['a key to encrypt with', (good) => [{ ...good, use: 'enc' }, good]],
    ['a private key', (good) => [{ ...good, d: randomBytes(32).toString('base64url') }, good]],
    ['key_ops that are no list', (good) => [{ ...good, key_ops: 'verify' }, good]],
    ['ids and uses of other types', (good) => [{ ...good, kid: 5, use: 5, alg: [] }, good]],
  ])('the other keys of a set stay usable beside %s', async (_, members) => {
    expect(await answer(members(signer.publicJwk))).toMatchObject({ status: 200 });
  });

  it.each([
    { alg: 5 },
    { alg: [] },
    { use: 5 },
    { use: {} },
    { ext: 'yes' },
    { key_ops: [] },
    { key_ops: 'verify' },
    { key_ops: [null] },
    { key_ops: {} },
    { key_ops: ['verify', 'verify'] },
    { key_ops: ['verify', 'encrypt'] },
  ])('RFC 7517 §4 a key with a meaningless optional member is still used: %j', async (odd) => {
    expect(await answer([{ ...signer.publicJwk, ...odd }])).toMatchObject({ status: 200 });
  });

  it.each([{ use: 'enc' }, { alg: 'RS256' }, { key_ops: ['sign'] }])(
    'RFC 7517 §4 a key for another purpose is not tried: %j',
    async (odd) => {
      expect(await answer([{ ...signer.publicJwk, ...odd }])).toMatchObject({ status: 401 });
    },
  );

  it('RFC 7515 §4.1.4 an empty kid of a token counts as absent', async () => {
    expect(await answer([signer.publicJwk], { kid: '' })).toMatchObject({ status: 200 });
  });

  it.each([
    ['null', null],
    ['empty', ''],
  ])('optional members of a key that are %s count as absent', async (_, value) => {
    const { kty = '', crv, x, y } = signer.publicJwk;
    const key = {
      kty,
      crv,
      x,
      y,
      kid: 'a',
      use: value,
      alg: value,
      key_ops: value,
      ext: value,
      x5c: value,
      x5t: value,
    };
    expect(await answer([key])).toMatchObject({ status: 200 });
  });

  it('a renewed key set with odd members keeps its valid keys, and loses the removed ones', async () => {
    await using server = await startHarness();
    const call = async (key: SigningKey) =>
      (await server.fetch('/mcp', post(await signToken({ key, claims: server.claims() }), PING))).status;
    expect(await call(server.key)).toBe(200);
    server.issuer.keys.splice(0, 1, null as never, signer.publicJwk);
    server.clock.advance(31);
    expect([await call(signer), await call(server.key)]).toEqual([200, 401]);
  });

  it('a key set without any key is reported as an issuer failure, not as a bad token', async () => {
    expect(await answer([null, { kid: 'a' }])).toMatchObject({ status: 503 });
  });

  it('RFC 7518 §3.3 an RSA key of 1,024 bits is ignored', async () => {
    const { generateKeyPairSync } = await import('node:crypto');
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 });
    const weak = { ...publicKey.export({ format: 'jwk' }), kid: 'a' };
    expect(await answer([weak, rsa.publicJwk], { key: rsa })).toMatchObject({ status: 200 });
    expect(await answer([weak], { key: rsa })).toMatchObject({ status: 401 });
  });
});

describe('RFC 7517 §4.5 several keys with one kid', () => {
  it('keys with the same kid are each tried, for an issuer that never renames them', async () => {
    expect(await answer([other.publicJwk, signer.publicJwk])).toMatchObject({ status: 200 });
    expect(await answer([signer.publicJwk, other.publicJwk])).toMatchObject({ status: 200 });
  });

  it('identical keys count as one', async () => {
    expect(await answer(Array(40).fill(signer.publicJwk))).toMatchObject({ status: 200 });
    expect(await answer([...Array(40).fill(other.publicJwk), signer.publicJwk])).toMatchObject({ status: 200 });
  });

  it('keys with the same kid are distinguished by type and algorithm', async () => {
    expect(await answer([rsa.publicJwk, signer.publicJwk])).toMatchObject({ status: 200 });
    const perAlgorithm = ['RS512', 'RS384', 'RS256'].map((alg) => ({ ...rsa.publicJwk, alg }));
    expect(await answer(perAlgorithm, { key: rsa })).toMatchObject({ status: 200 });
  });

  it('a new key under the old kid is found at the first token that it signed', async () => {
    await using server = await startHarness();
    const call = async (key: SigningKey) =>
      (await server.fetch('/mcp', post(await signToken({ key, claims: server.claims() }), PING))).status;
    server.issuer.keys.splice(0, 1, other.publicJwk);
    expect(await call(other)).toBe(200);
    server.issuer.keys.splice(0, 1, signer.publicJwk);
    server.clock.advance(31);
    expect([await call(signer), await call(other)]).toEqual([200, 401]);
  });

  it('a signature of none of the keys is refused, after one more fetch of the set', async () => {
    const refused = await answer([other.publicJwk, rsa.publicJwk]);
    expect(refused).toMatchObject({ status: 401, log: expect.stringContaining('"reason":"bad_signature"') });
    expect(refused.requests).toBe(1);
  });
});

describe('RFC 7515 §4.1.4, RFC 7517 §4.5 a key id is optional', () => {
  const cases: [string, () => unknown[], unknown][] = [
    ['nowhere', () => [nameless(signer)], undefined],
    ['on the key only', () => [signer.publicJwk], undefined],
    ['in the token only', () => [nameless(signer)], 'a'],
    ['null in the token', () => [signer.publicJwk], null],
    ['nowhere, with several keys', () => [nameless(other), nameless(rsa), nameless(signer)], undefined],
    ['on the keys only, with several', () => [{ ...other.publicJwk, kid: 'b' }, signer.publicJwk], undefined],
    ['in the token only, with several keys', () => [nameless(other), nameless(signer)], 'a'],
    ['on another key only', () => [{ ...other.publicJwk, kid: 'b' }, nameless(signer)], 'a'],
  ];
  it.each(cases)('a token and a key set work together: %s', async (_, members, kid) => {
    expect(await answer(members(), { kid })).toMatchObject({ status: 200, requests: 1 });
  });

  it('a key with another kid is not tried', async () => {
    expect(await answer([signer.publicJwk], { kid: 'b' })).toMatchObject({
      status: 401,
      log: expect.stringContaining('"reason":"unknown_key"'),
    });
  });

  it('at most 16 keys are tried for one token', async () => {
    const others = await Promise.all(Array.from({ length: 16 }, () => signingKey('b')));
    expect(await answer([...others.slice(1).map(nameless), nameless(signer)])).toMatchObject({ status: 200 });
    expect(await answer([...others.map(nameless), nameless(signer)])).toMatchObject({ status: 401 });
  });

  it('a kid that is no text is refused', async () => {
    expect(await answer([signer.publicJwk], { kid: 5 })).toMatchObject({ status: 401 });
  });
});
