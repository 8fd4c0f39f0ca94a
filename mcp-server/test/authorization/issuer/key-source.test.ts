/** Proves that keys are cached as long as the operator configured, without more requests to the issuer. */
import { reasonOf } from '@mcp-oauth/shared/documents/remote-document';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createKeySource } from '../../../src/authorization/issuer/key-source.ts';
import { firstKey, signingKey } from '../../support/issuer.ts';

const JWKS = 'https://idp.example.com/keys';

describe('RFC 7517 §5 the keys of the issuer', () => {
  it.each([
    ['five minutes', 300, 30],
    ['two seconds', 2, 2],
  ])(
    'keys cached for %s are fetched again then, and for an unknown kid at most twice a minute or as often as that',
    async (_, maxAge, cooldown) => {
      const clock = new FakeClock();
      let fetched = 0;
      const { publicJwk } = await signingKey('a');
      const fetch = async () => {
        fetched += 1;
        return Response.json({ keys: [publicJwk] });
      };
      const metadata = { get: () => Promise.reject(new Error('not needed')) } as never;
      const keys = createKeySource({ jwksUrl: JWKS, metadata, fetch, clock, maxAge, onFailure: () => {} });
      const missing = () => expect(firstKey(keys, 'b')).rejects.toMatchObject({ reason: 'unknown_key' });

      await firstKey(keys, 'a');
      clock.advance(cooldown - 1);
      await missing();
      expect(fetched).toBe(1);
      clock.advance(1);
      await missing();
      expect(fetched).toBe(2);
      clock.advance(maxAge - 1);
      await firstKey(keys, 'a');
      expect(fetched).toBe(2);
      clock.advance(1);
      await firstKey(keys, 'a');
      expect(fetched).toBe(3);
    },
  );

  it('after a time without requests the keys are read before one of them counts, and not waited for while the issuer is away', async () => {
    const [clock, former] = [new FakeClock(), await signingKey('a')];
    let answer = async () => Response.json({ keys: [former.publicJwk] });
    let fetched = 0;
    const fetch = () => {
      fetched += 1;
      return answer();
    };
    const metadata = { get: () => Promise.reject(new Error('not needed')) } as never;
    const keys = createKeySource({ jwksUrl: JWKS, metadata, fetch, clock, maxAge: 300, onFailure: () => {} });
    await firstKey(keys, 'a');
    clock.advance(600);
    answer = () => Promise.reject(new TypeError('fetch failed'));
    await firstKey(keys, 'a');
    expect(fetched).toBe(2);
    clock.advance(600);
    answer = () => new Promise(() => {});
    await firstKey(keys, 'a');
    expect(fetched).toBe(3);
  });

  it('a key that was withdrawn while nobody asked verifies no token', async () => {
    const [clock, former, next] = [new FakeClock(), await signingKey('a'), await signingKey('b')];
    let published = [former.publicJwk];
    const fetch = async () => Response.json({ keys: published });
    const metadata = { get: () => Promise.reject(new Error('not needed')) } as never;
    const keys = createKeySource({ jwksUrl: JWKS, metadata, fetch, clock, maxAge: 300, onFailure: () => {} });
    await firstKey(keys, 'a');
    published = [next.publicJwk];
    clock.advance(3_600);
    await expect(firstKey(keys, 'a')).rejects.toMatchObject({ reason: 'unknown_key' });
  });

  const odd = Array(50_000).fill(1);
  it.each([
    ['a page instead of keys', () => new Response('<html>'), `${JWKS} answered no JSON`],
    ['a list instead of an object', () => Response.json([]), 'is no JWK Set: expected an object with a list of keys'],
    ['no key among many members', () => Response.json({ keys: odd }), 'keys[9] is not an object; 49990 more'],
    ['no answer at all', () => Promise.reject(new TypeError('fetch failed')), `${JWKS}: fetch failed`],
  ])('the reason why there are no keys is one short line, with the place: %s', async (_, answer, expected) => {
    const reasons: string[] = [];
    const onFailure = (error: unknown) => void reasons.push(reasonOf(error));
    const fetch = async () => answer();
    const metadata = { get: () => Promise.reject(new Error('not needed')) } as never;
    const keys = createKeySource({ jwksUrl: JWKS, metadata, fetch, clock: new FakeClock(), maxAge: 300, onFailure });
    await expect(firstKey(keys, 'a')).rejects.toMatchObject({ reason: 'keys_unavailable' });
    expect(reasons).toEqual([expect.stringContaining(expected)]);
    expect(reasons[0]).toMatch(/^.{1,400}$/);
  });

  it('RFC 7517 §5 members that are skipped are named up to ten, and the others are counted', async () => {
    const told: (readonly string[])[] = [];
    const { publicJwk } = await signingKey('a');
    const fetch = async () => Response.json({ keys: [...odd, publicJwk] });
    const metadata = { get: () => Promise.reject(new Error('not needed')) } as never;
    const options = { jwksUrl: JWKS, metadata, fetch, clock: new FakeClock(), maxAge: 300, onFailure: () => {} };
    await firstKey(createKeySource({ ...options, onLeftOut: (members) => told.push(members) }), 'a');
    expect(told.map((members) => [members.length, members.at(-1)])).toEqual([[11, '49990 more']]);
  });

  it('a replica that starts before its issuer waits for the keys, up to a limit', async () => {
    const clock = new FakeClock();
    const { publicJwk } = await signingKey('a');
    let isUp = false;
    const fetch = async () => {
      clock.advance(1);
      if (!isUp) throw new TypeError('fetch failed');
      return Response.json({ keys: [publicJwk] });
    };
    const metadata = { get: () => Promise.reject(new Error('not needed')) } as never;
    const keys = createKeySource({ jwksUrl: JWKS, metadata, fetch, clock, maxAge: 300, onFailure: () => {} });
    await keys.prepare(1_500);
    expect(keys.loadedAt()).toBeUndefined();
    isUp = true;
    clock.advance(1);
    await keys.prepare(1_500);
    expect(keys.loadedAt()).toBe(clock.now());
  });
});
