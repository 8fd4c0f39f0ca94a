/** Proves that keys are cached as long as the operator configured, without more requests to the issuer. */
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
