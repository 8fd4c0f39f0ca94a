/**
 * Proves what a deactivation by the provider does to a person: no refresh, no session, no new sign-in, for as long as it stands, on
 * every replica; and nothing to anybody else.
 */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import {
  authorize,
  authorizePath,
  redeem,
  refresh,
  register,
  type TestClient,
  tokensFor,
} from '../../support/client.ts';
import { type RunningServer, read } from '../../support/running-server.ts';
import { OTHER_TOKEN, provision, scim, setActive, startWithScim } from '../../support/scim.ts';
import { STORES, storesOf } from '../../support/stores.ts';

const DAY = 86_400;

const tokensOf = async (server: RunningServer, client: TestClient, person: string, browser?: Browser) => {
  const { code } = await authorize(server, client, {}, { person, ...(browser && { browser }) });
  return read(await redeem(server, client, code));
};

/** How a new sign-in ends: with a code, or with an error. */
async function signIn(server: RunningServer, client: TestClient, person: string) {
  const { answer } = await authorize(server, client, {}, { person }).catch(() => ({ answer: undefined }));
  return answer?.searchParams.get('code') ? 'code' : (answer?.searchParams.get('error') ?? 'page');
}

const refreshed = async (server: RunningServer, client: TestClient, token: unknown) => {
  const response = await refresh(server, client, token);
  const { error, error_description: description, refresh_token: next } = await read(response);
  return { status: response.status, error, description, next };
};

const REFUSED = {
  status: 400,
  error: 'invalid_grant',
  description: expect.stringContaining('The identity provider has deactivated this account.'),
};

describe('a person whom the provider deactivates', () => {
  it('RFC 6749 §5.2 a refresh fails with invalid_grant, everybody else goes on', async () => {
    await using server = await startWithScim();
    const client = await register(server);
    const [alice, bob] = [await tokensOf(server, client, 'alice'), await tokensOf(server, client, 'bob')];
    const id = await provision(server, 'alice');
    const before = await refreshed(server, client, alice.refresh_token);
    expect(before.status).toBe(200);
    await setActive(server, id, false);
    expect(await refreshed(server, client, before.next)).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect((await refreshed(server, client, bob.refresh_token)).status).toBe(200);
    const told = { msg: 'access ended', by: 'provisioning', actor: 'acme', grants: 1 };
    expect(server.log).toContainEqual(expect.objectContaining(told));
  });

  it('RFC 6749 §10.4 the grant ends, so that it does not come back when the person is activated again', async () => {
    await using server = await startWithScim();
    const client = await register(server);
    const { refresh_token: token } = await tokensOf(server, client, 'alice');
    const id = await provision(server, 'alice');
    await setActive(server, id, false);
    expect(await refreshed(server, client, token)).toMatchObject(REFUSED);
    await setActive(server, id, true);
    expect(await refreshed(server, client, token)).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect(await signIn(server, client, 'alice')).toBe('code');
  });

  it('RFC 6749 §4.1.2.1 a new sign-in and a code that is not redeemed yet are refused, a session is not used', async () => {
    await using server = await startWithScim();
    const client = await register(server);
    const browser = new Browser(server);
    await tokensOf(server, client, 'alice', browser);
    const { code } = await authorize(server, client, {}, { person: 'alice' });
    await setActive(server, await provision(server, 'alice'), false);
    expect((await read(await redeem(server, client, code))).error).toBe('invalid_grant');
    expect(await signIn(server, client, 'alice')).not.toBe('code');
    expect(await signIn(server, client, 'bob')).toBe('code');
    const { page, outside } = await browser.follow(authorizePath(client));
    expect(outside).toBeUndefined();
    expect(await page?.text()).not.toContain('alice');
  });

  it('RFC 7644 §3.3, §3.6 a user that is created inactive or deleted counts as deactivated, until it is created again', async () => {
    const clock = new FakeClock(Date.now());
    await using server = await startWithScim({ clock });
    const client = await register(server);
    await provision(server, 'alice', { active: false });
    expect(await signIn(server, client, 'alice')).not.toBe('code');
    const id = await provision(server, 'bob');
    expect(await signIn(server, client, 'bob')).toBe('code');
    await scim(server, 'DELETE', `/Users/${id}`);
    expect(await signIn(server, client, 'bob')).not.toBe('code');
    await provision(server, 'bob', { active: false });
    expect(await signIn(server, client, 'bob')).not.toBe('code');
    const { body } = await scim(server, 'GET', '/Users?filter=externalId%20eq%20%22bob%22');
    await setActive(server, String((body.Resources as { id: string }[])[0]?.id), true);
    // Sign-ins of the last seconds have ended as well, because the clocks of two replicas may differ.
    clock.advance(5);
    expect(await signIn(server, client, 'bob')).toBe('code');
  });

  it('RFC 7644 §3.5.2 a user that becomes another person leaves the deactivation of the first one in place', async () => {
    await using server = await startWithScim();
    const client = await register(server);
    const id = await provision(server, 'alice');
    await setActive(server, id, false);
    const body = { externalId: 'alice-the-second', userName: 'alice@acme.example', active: true };
    expect((await scim(server, 'PUT', `/Users/${id}`, { body })).status).toBe(200);
    expect(await signIn(server, client, 'alice-the-second')).toBe('code');
    expect(await signIn(server, client, 'alice')).not.toBe('code');
    await setActive(server, id, false);
    expect(await signIn(server, client, 'alice-the-second')).not.toBe('code');
  });

  it('the same subject at another connector, and a server without SCIM, are not affected', async () => {
    await using server = await startWithScim();
    const client = await register(server);
    const { body } = await scim(server, 'POST', '/Users', {
      connector: 'beta',
      token: OTHER_TOKEN,
      body: { externalId: 'alice', active: false },
    });
    expect(body.active).toBe(false);
    expect(await signIn(server, client, 'alice')).toBe('code');
    const { refresh_token: token } = await tokensFor(server, client);
    expect((await refreshed(server, client, token)).status).toBe(200);
  });

  it('somebody who signs in and of whom the provider has said nothing is a warning, as they would not be deactivated', async () => {
    await using server = await startWithScim();
    const client = await register(server);
    await provision(server, 'alice');
    const warnings = () =>
      server.log.filter(({ msg }) => msg === 'the provider has not reported this person over SCIM');
    expect(await signIn(server, client, 'alice')).toBe('code');
    expect(warnings()).toEqual([]);
    expect(await signIn(server, client, 'bob')).toBe('code');
    expect(warnings()).toMatchObject([
      { level: 'warn', connector: 'acme', subject: expect.stringMatching(/^[\w-]{43}$/), upstreamSubject: 'bob' },
    ]);
  });

  it('each change of state is one line in the log, with the connector and the id, and nothing about the person', async () => {
    await using server = await startWithScim();
    const id = await provision(server, 'alice-at-the-provider', { userName: 'alice@acme.example' });
    await setActive(server, id, false);
    await setActive(server, id, false);
    await setActive(server, id, true);
    await scim(server, 'DELETE', `/Users/${id}`);
    const lines = server.log.filter(({ user }) => user !== undefined);
    expect(lines.map(({ msg, user, connector }) => [msg, user, connector])).toEqual([
      ['person provisioned by the provider', id, 'acme'],
      ['person deactivated by the provider', id, 'acme'],
      ['person activated by the provider', id, 'acme'],
      ['person deactivated: the provider removed the user', id, 'acme'],
    ]);
    expect(JSON.stringify(server.log)).not.toMatch(/alice|that-nobody-could-guess/);
  });
});

describe.each(STORES)('a deactivation on %s', (kind) => {
  const open = storesOf(kind);

  it('RFC 7644 §3.5.2 a deactivation holds on every replica at once, and after a restart', async () => {
    const store = await open(new FakeClock(Date.now()));
    const [one, other] = [await startWithScim({ store }), await startWithScim({ store })];
    const client = await register(one);
    const { refresh_token: token } = await tokensOf(one, client, `alice-${kind}`);
    const id = await provision(one, `alice-${kind}`);
    await setActive(one, id, false);
    expect(await refreshed(other, client, token)).toMatchObject(REFUSED);
    const third = await startWithScim({ store });
    expect(await signIn(third, client, `alice-${kind}`)).not.toBe('code');
    expect((await scim(third, 'GET', `/Users/${id}`)).body.active).toBe(false);
    for (const server of [one, other, third]) server.drain();
    await one[Symbol.asyncDispose]();
  });
});

describe('the end of a deactivation', () => {
  it('a deactivation outlasts every grant, is renewed by the provider, and ends 400 days after it was last heard of', async () => {
    const clock = new FakeClock(Date.now());
    await using server = await startWithScim({ clock, store: createSqliteStore(':memory:', clock) });
    const id = await provision(server, 'alice');
    await setActive(server, id, false);
    clock.advance(300 * DAY);
    expect(await signIn(server, await register(server), 'alice')).not.toBe('code');
    expect((await scim(server, 'GET', `/Users/${id}`)).body.active).toBe(false);
    clock.advance(399 * DAY);
    expect(await signIn(server, await register(server), 'alice')).not.toBe('code');
    clock.advance(2 * DAY);
    expect((await scim(server, 'GET', `/Users/${id}`)).status).toBe(404);
  });

  it('a user that is active is found years later, so that it can be deactivated', async () => {
    const clock = new FakeClock(Date.now());
    await using server = await startWithScim({ clock, store: createSqliteStore(':memory:', clock) });
    const id = await provision(server, 'alice');
    clock.advance(3_000 * DAY);
    expect((await setActive(server, id, false)).body.active).toBe(false);
    expect(await signIn(server, await register(server), 'alice')).not.toBe('code');
  });
});
