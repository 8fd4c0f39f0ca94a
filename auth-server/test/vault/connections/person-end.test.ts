/** Proves that the connections of a person end with the person: deactivated, ended by the operator, denied upstream or for good. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccessRefusal } from '../../../src/access/gate.ts';
import { composeEndings } from '../../../src/compose/revocation/endings.ts';
import { readConfig } from '../../../src/config.ts';
import { UpstreamError } from '../../../src/federation/connector.ts';
import { discoverKinds } from '../../../src/federation/registry.ts';
import { localSubject } from '../../../src/federation/subject.ts';
import { createSqliteDirectory } from '../../../src/storage/directory/sqlite.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { createSqliteStatusStore } from '../../../src/storage/status/sqlite.ts';
import { connected } from '../../../src/vault/connections/changes.ts';
import { endingConnections } from '../../../src/vault/connections/person-end.ts';
import { createVault } from '../../../src/vault/vault.ts';
import { authorize, redeem, refresh, register } from '../../support/client.ts';
import { read, startServer } from '../../support/running-server.ts';
import { provision, setActive, TOKEN } from '../../support/scim.ts';

const ISSUER = 'https://acme.example';
const subjectOf = (subject: string) => localSubject({ issuer: ISSUER, subject });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rules-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Two people have signed in with acme, and connected their accounts at acme and at GitHub. */
async function begin() {
  const clock = new FakeClock(Date.now());
  const store = createSqliteStore(':memory:', clock);
  const [directory, statusStore] = [
    createSqliteDirectory(':memory:', clock),
    createSqliteStatusStore(':memory:', clock),
  ];
  const deny = join(folder, 'deny');
  writeFileSync(deny, 'subject:nobody\n');
  let isDisabled = false;
  const env = {
    STORAGE_KEYS: Buffer.from(Array.from({ length: 32 }, (_, n) => n)).toString('base64'),
    CONNECTORS: 'acme,github',
    CONNECTOR_ACME_TYPE: 'oidc',
    CONNECTOR_ACME_ISSUER: ISSUER,
    CONNECTOR_ACME_CLIENT_ID: 'client',
    CONNECTOR_ACME_CLIENT_SECRET: 'secret',
    CONNECTOR_ACME_SCIM_TOKEN: TOKEN,
    CONNECTOR_ACME_USE: 'sign-in,tools',
    CONNECTOR_ACME_TOOL_SCOPES: 'calendar',
    CONNECTOR_ACME_DENY: `file:${deny}`,
    CONNECTOR_GITHUB_USE: 'tools',
    CONNECTOR_GITHUB_CLIENT_ID: 'client',
    CONNECTOR_GITHUB_CLIENT_SECRET: 'secret',
  };
  const server = await startServer({
    store,
    directory,
    statusStore,
    clock,
    env,
    connectors: (acme) => [
      {
        ...acme,
        connector: {
          ...acme.connector,
          finish: async (...answer) => ({
            ...(await acme.connector.finish(...answer)),
            session: { refreshToken: 'r' },
          }),
          recheck: async (session) => {
            if (isDisabled) throw new UpstreamError('denied', 'the account is disabled');
            return { identity: { issuer: ISSUER, subject: 'alice' }, session };
          },
        },
      },
    ],
  });
  const vault = createVault(store, { clock, lifetime: 90 * 86_400 });
  const client = await register(server);
  const signIn = async (person: string) => {
    const { code } = await authorize(server, client, {}, { person });
    let { refresh_token: token } = await read(await redeem(server, client, code));
    for (const connector of ['acme', 'github']) {
      const session = { accessToken: `token of ${person}` };
      await vault.begin({ connector, accountId: subjectOf(person) }, connected({ session, scopes: [] }, 1));
    }
    return async () => {
      const answer = await read(await refresh(server, client, token));
      token = answer.refresh_token ?? token;
      return answer;
    };
  };
  const connectionsOf = async (person: string) => {
    const records = await Promise.all(
      ['acme', 'github'].map((connector) => vault.find({ connector, accountId: subjectOf(person) })),
    );
    return records.map((record) => record?.connection?.session?.accessToken);
  };
  return {
    server,
    deny,
    signIn,
    connectionsOf,
    clock,
    disable: () => {
      isDisabled = true;
    },
    endings: composeEndings(
      readConfig(env, await discoverKinds(new URL('../../../src/connectors/', import.meta.url))),
      {
        store,
        directory,
        statusStore,
        clock,
        onEnded: () => {},
      },
    ),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const NONE = [undefined, undefined];
const BOTH = (person: string) => [`token of ${person}`, `token of ${person}`];

describe('the end of a person', () => {
  it('RFC 7644 §3.5.2 a user that is deactivated loses all connections at once, and nobody else does', async () => {
    await using world = await begin();
    const id = await provision(world.server, 'alice');
    await world.signIn('alice');
    await world.signIn('bob');
    expect(await world.connectionsOf('alice')).toEqual(BOTH('alice'));
    await setActive(world.server, id, false);
    expect(await world.connectionsOf('alice')).toEqual(NONE);
    expect(await world.connectionsOf('bob')).toEqual(BOTH('bob'));
  });

  it('a person whom the operator ends loses all connections', async () => {
    await using world = await begin();
    await world.signIn('alice');
    await world.endings.end({ kind: 'person', accountId: subjectOf('alice') }, { origin: 'cli' });
    expect(await world.connectionsOf('alice')).toEqual(NONE);
  });

  it('a person whom the upstream of the sign-in refuses for good loses all connections', async () => {
    await using world = await begin();
    const refreshed = await world.signIn('alice');
    world.disable();
    world.clock.advance(3_600);
    expect(await refreshed()).toMatchObject({ error: 'invalid_grant' });
    expect(await world.connectionsOf('alice')).toEqual(NONE);
  });

  it('a person whom a rule refuses keeps them, because the rule may change again', async () => {
    await using world = await begin();
    const refreshed = await world.signIn('alice');
    writeFileSync(world.deny, 'subject:alice\n');
    world.clock.advance(60);
    expect(await refreshed()).toMatchObject({ error: 'invalid_grant' });
    expect(await world.connectionsOf('alice')).toEqual(BOTH('alice'));
  });

  it('a refusal that is final, as by HOSTED_DOMAIN, ends the connections of its person, and no other refusal does', async () => {
    const ended: string[] = [];
    const account = { accountId: 'alice', connector: 'acme', identity: { issuer: ISSUER, subject: 'alice' } };
    const gateWith = (refusal?: AccessRefusal) =>
      endingConnections(
        async () => refusal && { refusal },
        async (person) => void ended.push(person),
      );
    const refusal = { reason: 'no', description: 'no' };
    for (const verdict of [undefined, refusal, { ...refusal, isFinal: true }])
      await gateWith(verdict)(account, 'token');
    expect(ended).toEqual(['alice']);
  });

  it('a person who is not refused keeps them', async () => {
    await using world = await begin();
    const refreshed = await world.signIn('alice');
    world.clock.advance(3_600);
    expect(await refreshed()).toMatchObject({ access_token: expect.any(String) });
    expect(await world.connectionsOf('alice')).toEqual(BOTH('alice'));
  });
});
