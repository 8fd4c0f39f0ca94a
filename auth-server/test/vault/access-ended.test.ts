/** Proves that tokens of an upstream are deleted when something else ends the access of their person: SCIM, or a logout there. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import type { Connector } from '../../src/federation/connector.ts';
import type { OpenConnector } from '../../src/federation/registry.ts';
import { localSubject } from '../../src/federation/subject.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { authorize, redeem, refresh, register } from '../support/client.ts';
import { report, startLogoutUpstream } from '../support/logout-upstream.ts';
import { type RunningServer, read, startServer } from '../support/running-server.ts';
import { patch, provision, scim, setActive, TOKEN } from '../support/scim.ts';

const ISSUER = 'https://acme.example';

/** The connector, whose upstream sends a refresh token and can be asked with it. */
const asking = (open: OpenConnector, ask: NonNullable<Connector['recheck']>): OpenConnector => {
  const finish: Connector['finish'] = async (...answer) => {
    const signIn = await open.connector.finish(...answer);
    return { ...signIn, session: { ...signIn.session, refreshToken: `token of ${signIn.identity.subject}` } };
  };
  return { ...open, connector: { ...open.connector, finish, recheck: ask } };
};

async function begin(connectors: (acme: OpenConnector) => readonly OpenConnector[] = (acme) => [acme], issuer = ISSUER) {
  const store = createSqliteStore(':memory:', new FakeClock(Date.now()));
  const asked: unknown[] = [];
  const ask: NonNullable<Connector['recheck']> = async (session) => {
    asked.push(session.refreshToken);
    throw new Error('it is not asked in this test');
  };
  const server = await startServer({
    store,
    connectors: (acme) => connectors(acme).map((open) => asking(open, ask)),
    env: {
      CONNECTORS: 'acme',
      CONNECTOR_ACME_TYPE: 'oidc',
      CONNECTOR_ACME_ISSUER: ISSUER,
      CONNECTOR_ACME_CLIENT_ID: 'client',
      CONNECTOR_ACME_CLIENT_SECRET: 'secret',
      CONNECTOR_ACME_SCIM_TOKEN: TOKEN,
    },
  });
  const client = await register(server);
  const accountOf = (subject: string) => localSubject({ issuer, subject });
  return {
    server,
    asked,
    tokensOf: async (subject: string) =>
      (await store.get('UpstreamSession', `acme:${accountOf(subject)}`))?.value.session as object | undefined,
    signIn: async (person: string) => {
      const { code } = await authorize(server, client, {}, { person });
      const { refresh_token: token } = await read(await redeem(server, client, code));
      return async () => read(await refresh(server, client, token));
    },
    /** Makes the last answer of the upstream too old. */
    age: async (subject: string) => {
      const account = (await store.get('Account', accountOf(subject)))?.value ?? {};
      await store.put('Account', accountOf(subject), { ...account, checkedAt: 0 }, { ttl: 60 });
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
} // biome-ignore format: one row for each member

describe('SCIM a deactivation', () => {
  const moveTo = (externalId: string) => (server: RunningServer, id: string) =>
    patch(server, id, { op: 'replace', path: 'externalId', value: externalId });

  it.each([
    ['RFC 7644 §3.5.2 a user that is deactivated', (server: RunningServer, id: string) => setActive(server, id, false)],
    ['RFC 7644 §3.6 a user that is deleted', (server: RunningServer, id: string) => scim(server, 'DELETE', `/Users/${id}`)],
    ['RFC 7644 §3.5.2 a user that becomes another person', moveTo('carol')],
  ])('%s loses the tokens of the upstream at once, and nobody else does', async (_, end) => {
    await using world = await begin();
    const id = await provision(world.server, 'alice');
    await provision(world.server, 'bob');
    await world.signIn('alice');
    await world.signIn('bob');
    expect(await world.tokensOf('alice')).toEqual({ refreshToken: 'token of alice' });
    expect((await end(world.server, id)).status).toBeLessThan(300);
    expect(await world.tokensOf('alice')).toBeUndefined();
    expect(await world.tokensOf('bob')).toEqual({ refreshToken: 'token of bob' });
  }); // biome-ignore format: one row for each case

  it('a person whose user became another one signs in as themselves, and is deactivated as themselves', async () => {
    await using world = await begin();
    const id = await provision(world.server, 'alice');
    await world.signIn('alice');
    await moveTo('carol')(world.server, id);
    await world.signIn('carol');
    await setActive(world.server, id, false);
    expect(await world.tokensOf('carol')).toBeUndefined();
  });

  it('a person who signed in before the provider reported them loses the tokens at the next refresh, and is not asked about', async () => {
    await using world = await begin();
    const refreshed = await world.signIn('alice');
    await setActive(world.server, await provision(world.server, 'alice'), false);
    await world.age('alice');
    expect(await refreshed()).toMatchObject({ error: 'invalid_grant', error_description: expect.stringMatching(/deactivated/) });
    expect([await world.tokensOf('alice'), world.asked]).toEqual([undefined, []]);
  }); // biome-ignore format: one row for each answer
});

describe('OpenID Connect Back-Channel Logout §2.7 a logout at the upstream and what is stored of it', () => {
  it.each([
    ['deletes the tokens of the upstream if it ends approvals', true, undefined],
    ['keeps them if it ends browser sessions only, because refreshes go on', false, expect.anything()],
  ])('a logout %s', async (_, logoutEndsApprovals, left) => {
    await using upstream = await startLogoutUpstream({ logoutEndsApprovals });
    await using world = await begin(upstream.connectors, upstream.issuer);
    await world.signIn('alice');
    await world.signIn('bob');
    expect((await report(world.server, await upstream.token({ sub: 'alice' }))).status).toBe(200);
    expect(await world.tokensOf('alice')).toEqual(left);
    expect(await world.tokensOf('bob')).toEqual({ refreshToken: 'token of bob' });
  });
});
