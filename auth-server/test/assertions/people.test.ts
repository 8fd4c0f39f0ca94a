/** Proves that the person of an ID-JAG passes the same gates as after a sign-in, and that their access is listed and can be ended. */
import { systemClock } from '@mcp-oauth/shared/clock';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { describe, expect, it } from 'vitest';
import { grantsCommands } from '../../src/cli/grants/grants.ts';
import { peopleCommands } from '../../src/cli/people/people.ts';
import { localSubject } from '../../src/federation/subject.ts';
import { createSqliteDirectory } from '../../src/storage/directory/sqlite.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { createSqliteStatusStore } from '../../src/storage/status/sqlite.ts';
import { commandsOn } from '../support/command-store.ts';
import { type Enterprise, startEnterprise } from '../support/enterprise.ts';
import { form, read } from '../support/running-server.ts';
import { scim, USER } from '../support/scim.ts';
import { isMarkedInStore, referenceOf } from '../support/token-status.ts';
import { nowSeconds } from '../support/trusted-issuer.ts';

const ENV = { NODE_ENV: 'test' };
const accountOf = ({ idp }: Enterprise, subject = 'alice') => localSubject({ issuer: idp.url, subject });

/** A server whose records a command of the operator sees. */
async function startListed(env: Record<string, string> = {}) {
  const [store, directory, statusStore] = [
    createSqliteStore(':memory:', systemClock),
    createSqliteDirectory(':memory:', systemClock),
    createSqliteStatusStore(':memory:', systemClock),
  ];
  const enterprise = await startEnterprise(env, { store, directory, statusStore });
  const withStore = commandsOn({ store, directory, statusStore, clock: systemClock });
  const grants = async (line: string) => (await run(grantsCommands(withStore), line, ENV)).stdout;
  const people = async (line: string) => (await run(peopleCommands(withStore), line, ENV)).stdout;
  return { ...enterprise, enterprise, store, statusStore, grants, people };
}

describe('the person of an ID-JAG', () => {
  it('a person who never signed in is judged by the claims of the ID-JAG, and remembered only if they may come in', async () => {
    const listed = await startListed({
      CONNECTOR_OKTA_ALLOW: 'domain:acme.example',
      CONNECTOR_OKTA_DENY: 'email:eve@acme.example',
    });
    await using _ = listed.enterprise;
    const { idJag, present, refused, store, enterprise } = listed;
    const address = (email: string) => ({ email, email_verified: true });
    expect((await present(await idJag(address('alice@acme.example')))).status).toBe(200);
    expect((await store.get('Account', accountOf(enterprise)))?.value).toMatchObject({ connector: 'okta' });
    for (const claims of [
      { sub: 'eve', ...address('eve@acme.example') },
      { sub: 'mallory', ...address('mallory@evil.example') },
      { sub: 'nobody' },
      // The identity provider does not say that it verified the address.
      { sub: 'trudy', email: 'trudy@acme.example' },
    ]) {
      expect(await refused(await idJag(claims))).toMatchObject({ status: 400, error: 'invalid_grant' });
      expect(await store.get('Account', accountOf(enterprise, claims.sub))).toBeUndefined();
    }
    expect(enterprise.server.entries.filter(({ event }) => event === 'person.refused')).toHaveLength(4);
  });

  it('a person about whom the ID-JAG does not say what a denial asks for is refused, also the next time', async () => {
    const { enterprise, idJag, refused, present } = await startListed({ CONNECTOR_OKTA_DENY: 'group:contractors' });
    await using _ = enterprise;
    for (let n = 0; n < 2; n += 1) {
      expect(await refused(await idJag())).toMatchObject({
        error: 'invalid_grant',
        reason: expect.stringContaining('contractors'),
      });
    }
    expect((await present(await idJag({ groups: ['staff'] }))).status).toBe(200);
    expect((await refused(await idJag({ sub: 'bob', groups: ['contractors'] }))).reason).toContain('denied by');
  });

  it('a person who signed in before keeps what the sign-in said, and the account is not replaced', async () => {
    const { enterprise, idJag, present, store } = await startListed({ CONNECTOR_OKTA_ALLOW: 'group:staff' });
    await using _ = enterprise;
    const accountId = accountOf(enterprise);
    const identity = {
      issuer: enterprise.idp.url,
      subject: 'alice',
      memberships: { group: ['staff'] },
      known: ['group'],
    };
    const account = { accountId, connector: 'okta', identity, signedInAt: 1 };
    await store.put('Account', accountId, account, { ttl: 600 });
    expect((await present(await idJag({ name: 'Somebody' }))).status).toBe(200);
    expect((await store.get('Account', accountId))?.value).toEqual(account);
  });

  it('a person who never signed in is known by the newest ID-JAG: a group that is lost gives nothing more', async () => {
    const { enterprise, idJag, present, refused, store } = await startListed({
      CONNECTOR_OKTA_ALLOW: 'group:staff',
      CONNECTOR_OKTA_SCOPE_RULES: 'mcp:admin=group:ops',
    });
    await using _ = enterprise;
    const scopeOf = async (groups: readonly string[]) =>
      (await read(await present(await idJag({ groups, scope: 'mcp:tools mcp:admin' })))).scope;
    expect(await scopeOf(['staff', 'ops'])).toBe('mcp:tools mcp:admin');
    expect(await scopeOf(['staff'])).toBe('mcp:tools');
    expect(await refused(await idJag({ groups: ['guests'] }))).toMatchObject({ error: 'invalid_grant' });
    expect(await refused(await idJag())).toMatchObject({ error: 'invalid_grant' });
    const { value } = (await store.get('Account', accountOf(enterprise))) ?? {};
    expect(value).toMatchObject({ isAsserted: true, identity: { memberships: { group: ['staff'] } } });
  });

  it('a person whom the identity provider has denied since their sign-in is refused', async () => {
    const { enterprise, idJag, refused, store } = await startListed();
    await using _ = enterprise;
    const accountId = accountOf(enterprise);
    const identity = { issuer: enterprise.idp.url, subject: 'alice' };
    await store.put('Account', accountId, { accountId, connector: 'okta', identity, denied: 'left' }, { ttl: 600 });
    expect(await refused(await idJag())).toMatchObject({
      error: 'invalid_grant',
      reason: expect.stringContaining('left'),
    });
  });

  it('RFC 7644 §3.5 a person who was deactivated over SCIM is refused, and their tokens are marked', async () => {
    const token = 'a-token-of-okta-that-nobody-could-guess';
    const { enterprise, idJag, present, refused, statusStore } = await startListed({
      CONNECTOR_OKTA_SCIM_TOKEN: token,
    });
    await using _ = enterprise;
    const created = await scim(enterprise.server, 'POST', '/Users', {
      connector: 'okta',
      token,
      body: { schemas: [USER], userName: 'alice', externalId: 'alice', active: true },
    });
    expect(created.status).toBe(201);
    const idJagOfAlice = await idJag();
    const { access_token: access } = await read(await present(idJagOfAlice));
    const path = `/Users/${created.body.id}`;
    await scim(enterprise.server, 'PUT', path, {
      connector: 'okta',
      token,
      body: { schemas: [USER], userName: 'alice', externalId: 'alice', active: false },
    });
    expect(await isMarkedInStore(statusStore, referenceOf(access))).toBe(true);
    const later = await idJag({ iat: nowSeconds() + 10 });
    expect(await refused(later)).toMatchObject({
      error: 'invalid_grant',
      reason: expect.stringContaining('deactivated'),
    });
  });
});

describe('the access that an ID-JAG gave', () => {
  it('all ID-JAGs of a person and a client give one grant, which the operator lists and ends: its tokens are marked', async () => {
    const { enterprise, idJag, present, refused, grants, statusStore } = await startListed();
    await using _ = enterprise;
    const issued = { iat: nowSeconds() - 60, exp: nowSeconds() + 300 };
    const before = await idJag(issued);
    const unused = await idJag(issued);
    const tokens = [await read(await present(before)), await read(await present(await idJag()))];
    const [grant, ...others] = JSON.parse(await grants('list --json')) as { id: string; client: unknown }[];
    expect(others).toEqual([]);
    expect(grant).toMatchObject({ id: expect.any(String) });
    await grants(`end -- ${grant?.id}`);
    for (const { access_token: access } of tokens) {
      expect(await isMarkedInStore(statusStore, referenceOf(access))).toBe(true);
    }
    // ID-JAG §4.4.3 lets a client present it again, but an ending comes first.
    for (const old of [before, unused]) {
      expect(await refused(old)).toMatchObject({ error: 'invalid_grant', reason: expect.stringContaining('ended') });
    }
    const later = await read(await present(await idJag({ iat: nowSeconds() + 10 })));
    expect(await isMarkedInStore(statusStore, referenceOf(later.access_token))).toBe(false);
    expect(JSON.parse(await grants('list --json'))).toHaveLength(1);
  });

  it('an ID-JAG from before a moment at which everything ended gives nothing, even if it was never presented', async () => {
    const { enterprise, idJag, present, refused, grants } = await startListed();
    await using _ = enterprise;
    const unused = await idJag({ iat: nowSeconds() - 60 });
    await present(await idJag());
    await grants('end --before now --yes');
    expect(await refused(unused)).toMatchObject({ error: 'invalid_grant', reason: expect.stringContaining('ended') });
  });

  it('an ID-JAG from before a logout at the identity provider gives nothing, where a logout ends approvals', async () => {
    const { enterprise, idJag, present, refused } = await startListed({ CONNECTOR_OKTA_LOGOUT_ENDS_APPROVALS: 'true' });
    await using _ = enterprise;
    const before = await idJag({ iat: nowSeconds() - 60 });
    expect((await present(before)).status).toBe(200);
    const logoutToken = await enterprise.idp.sign(
      {
        aud: 'auth-server',
        sub: 'alice',
        jti: 'logout',
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      },
      { typ: 'logout+jwt' },
    );
    const logout = await enterprise.server.fetch('/backchannel-logout/okta', form({ logout_token: logoutToken }));
    expect(logout.status).toBe(200);
    expect(await refused(before)).toMatchObject({ error: 'invalid_grant' });
    expect((await present(await idJag({ iat: nowSeconds() + 20 }))).status).toBe(200);
  });

  it('an ID-JAG from before the end of its person gives nothing, and a later one does', async () => {
    const { enterprise, idJag, present, refused, people } = await startListed();
    await using _ = enterprise;
    const before = await idJag({ iat: nowSeconds() - 60 });
    await present(before);
    await people(`end -- ${accountOf(enterprise)}`);
    expect(await refused(before)).toMatchObject({ error: 'invalid_grant', reason: expect.stringContaining('ended') });
    expect((await present(await idJag({ iat: nowSeconds() + 10 }))).status).toBe(200);
  });

  it('concurrent first requests of one client belong to one grant', async () => {
    const { enterprise, idJag, present, grants } = await startListed();
    await using _ = enterprise;
    const all = await Promise.all(Array.from({ length: 5 }, async () => present(await idJag())));
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(JSON.parse(await grants('list --json'))).toHaveLength(1);
  });
});
