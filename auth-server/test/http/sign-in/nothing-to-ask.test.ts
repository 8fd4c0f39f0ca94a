/** Proves that the log says, once for each connector, that a sign-in left nothing to ask the identity provider again with. */
import { describe, expect, it } from 'vitest';
import { authorize, register } from '../../support/client.ts';
import { metadata, type Play, start } from '../../support/oidc-stand-in.ts';
import { oidcAt, serve, signIn } from '../../support/provider-sign-in.ts';
import { startServer } from '../../support/running-server.ts';
import { TENANT } from '../../support/vendors.ts';

const NOT_ASKED = 'the identity provider is not asked again about people';
const FOR_SOME_TIME = 'the identity provider is asked again about people for some time only';

type Log = Awaited<ReturnType<typeof serve>>['log'];
const linesIn = (log: Log) => log.filter(({ msg }) => msg === NOT_ASKED || msg === FOR_SOME_TIME);

/** The lines after two sign-ins. @param members of the token response */
async function linesAfter(upstream: Play, members: Play['members'], env: Readonly<Record<string, string>> = {}) {
  upstream.members = members;
  await using server = await serve({ ...oidcAt(upstream), ...env });
  for (const _ of ['first', 'second']) {
    const { outside } = await signIn(server, upstream);
    expect(outside?.searchParams.has('code')).toBe(true);
  }
  return linesIn(server.log);
}

const withoutUserInfo = (upstream: Play): void => {
  const { userinfo_endpoint: _, ...others } = metadata(upstream.issuer);
  upstream.stage.routes.set('/.well-known/openid-configuration', () => others);
};

describe('UPSTREAM_RECHECK a sign-in that leaves nothing to ask with', () => {
  it.each([
    ['a provider without userinfo', withoutUserInfo, { expires_in: 3_600 }],
    ['RFC 6749 §5.1 an access token without expires_in', () => {}, {}],
  ])('%s is named once, in a warning that says what is left', async (_, change, members) => {
    await using upstream = await start();
    change(upstream);
    expect(await linesAfter(upstream, members)).toMatchObject([
      { level: 'warn', connector: 'acme', msg: NOT_ASKED, reason: expect.stringContaining('GRANT_LIFETIME') },
    ]);
  });

  it('Entra with OFFLINE_ACCESS=off is named, because its userinfo is not asked', async () => {
    await using upstream = await start(`/${TENANT}/v2.0`);
    upstream.claims = { tid: TENANT };
    const { origin } = new URL(upstream.issuer);
    const { CONNECTOR_ACME_ISSUER: _, ...client } = oidcAt(upstream);
    upstream.members = { expires_in: 3_600 };
    await using server = await serve({
      ...client,
      CONNECTOR_ACME_TYPE: 'entra',
      CONNECTOR_ACME_TENANT: TENANT,
      CONNECTOR_ACME_AUTHORITY: origin,
      CONNECTOR_ACME_OFFLINE_ACCESS: 'off',
    });
    await signIn(server, upstream);
    expect(linesIn(server.log)).toMatchObject([{ level: 'warn', connector: 'acme', msg: NOT_ASKED }]);
  });

  it('a connector that cannot ask is named', async () => {
    await using server = await startServer();
    await authorize(server, await register(server));
    expect(linesIn(server.log)).toMatchObject([{ level: 'warn', connector: 'acme', msg: NOT_ASKED }]);
  });

  it('an access token for userinfo alone is named once, with how long it lasts', async () => {
    await using upstream = await start();
    expect(await linesAfter(upstream, { expires_in: 3_600 })).toMatchObject([
      {
        level: 'info',
        connector: 'acme',
        msg: FOR_SOME_TIME,
        seconds: 3_600,
        reason: expect.stringContaining('GRANT_LIFETIME'),
      },
    ]);
  });

  it.each([
    ['a refresh token', { refresh_token: 'of the upstream' }, {}],
    ['UPSTREAM_RECHECK=off', {}, { UPSTREAM_RECHECK: 'off' }],
  ])('the log says nothing of it with %s', async (_, members, env) => {
    await using upstream = await start();
    expect(await linesAfter(upstream, members, env)).toEqual([]);
  });
});
