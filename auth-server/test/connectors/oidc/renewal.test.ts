/**
 * Proves that changed metadata and keys of an OpenID provider are used, and that the old ones are kept while the
 * provider is unavailable.
 */

import { systemClock } from '@mcp-oauth/shared/clock';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { checks } from '../../contracts/connector.contract.ts';
import { metadata, open, type Play, publicKey, start } from '../../support/oidc-stand-in.ts';
import { Reply } from '../../support/upstream-stand-in.ts';

const DISCOVERY = '/.well-known/openid-configuration';

async function setUp() {
  const play = await start();
  const clock = new FakeClock(systemClock.now());
  const troubles: string[] = [];
  const connector = open(play.issuer, {}, { clock, onTrouble: (message) => troubles.push(message) });
  return { play, clock, connector, troubles };
}

/** The provider changes its authorization endpoint. */
const move = ({ stage, issuer }: Play, to: string, cacheControl = 'max-age=1') =>
  stage.routes.set(
    DISCOVERY,
    () =>
      new Reply(
        200,
        { ...metadata(issuer), authorization_endpoint: `${issuer}${to}` },
        { 'cache-control': cacheControl },
      ),
  );

describe('RFC 9111 §5.2 provider metadata that changes', () => {
  it.each([
    ['max-age=1', 3],
    ['no-store', 3],
    ['max-age=600', 601],
    ['', 3_601],
    ['max-age=99999999', 86_401],
  ])('the Cache-Control "%s" leads people to the new endpoint after %i s', async (cacheControl, seconds) => {
    const { play, clock, connector } = await setUp();
    await using _ = play;
    move(play, '/old', cacheControl);
    expect((await connector.begin(checks)).pathname).toBe('/old');
    move(play, '/new', cacheControl);
    clock.advance(seconds);
    expect((await connector.begin(checks)).pathname).toBe('/new');
  });

  it('metadata is fetched again after a failed sign-in, although it is fresh', async () => {
    const { play, connector } = await setUp();
    await using _ = play;
    move(play, '/old', 'max-age=86400');
    await connector.begin(checks);
    move(play, '/new', 'max-age=86400');
    await expect(connector.finish(await play.signIn(new URL('http://x')), checks)).rejects.toThrow();
    await expect.poll(async () => (await connector.begin(checks)).pathname).toBe('/new');
  });

  it('metadata is not fetched again when the person denies', async () => {
    const { play, connector } = await setUp();
    await using _ = play;
    await connector.begin(checks);
    const no = new URL(`https://x.example/?error=access_denied&state=${checks.state}`);
    await expect(connector.finish(no, checks)).rejects.toMatchObject({ reason: 'denied' });
    await connector.begin(checks);
    expect(play.stage.asked.filter((path) => path === DISCOVERY)).toHaveLength(1);
  });

  it.each([
    ['is down', new Reply(503, {})],
    ['says nonsense', new Reply(200, '<html>')],
    ['calls itself something else', new Reply(200, { issuer: 'https://evil.example' })],
  ])('the old metadata is used while the provider %s, and the log says so', async (_, reply) => {
    const { play, clock, connector, troubles } = await setUp();
    await using __ = play;
    move(play, '/old');
    await connector.begin(checks);
    play.stage.routes.set(DISCOVERY, () => reply);
    clock.advance(3);
    expect((await connector.begin(checks)).pathname).toBe('/old');
    expect(troubles).toEqual([expect.stringMatching(/^the previous metadata stays in use: .*openid-configuration /)]);
  });
});

describe('RFC 7517 §5 provider keys that change', () => {
  it('the old keys are used while the new ones are unavailable', async () => {
    const { play, clock, connector, troubles } = await setUp();
    await using _ = play;
    const signIn = async () =>
      (await connector.finish(await play.signIn(await connector.begin(checks)), checks)).identity;
    await signIn();
    play.stage.routes.set('/jwks', () => new Reply(500, ''));
    clock.advance(3_601);
    // The stand-in signs with times of the system clock.
    play.claims = { exp: Math.floor(clock.now() / 1_000) + 60 };
    expect(await signIn()).toMatchObject({ subject: play.subject });
    expect(troubles).toEqual([expect.stringContaining('the previous key set stays in use')]);
  });

  it('a key that is replaced under the same kid is fetched at the next sign-in', async () => {
    const { play, connector } = await setUp();
    await using _ = play;
    const other = await exportJWK((await generateKeyPair('RS256')).publicKey);
    play.stage.routes.set('/jwks', () => ({ keys: [{ ...other, kid: '1' }] }));
    const signIn = async () =>
      (await connector.finish(await play.signIn(await connector.begin(checks)), checks)).identity;
    await expect(signIn()).rejects.toMatchObject({ reason: 'invalid_answer' });
    play.stage.routes.set('/jwks', async () => ({ keys: [{ ...(await publicKey), kid: '1' }] }));
    expect(await signIn()).toMatchObject({ subject: play.subject });
  });
});
