/** Proves that the connections of a person end with the person: deactivated, ended by the operator, denied upstream or for good. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { serve } from '@mcp-oauth/shared/testing/listen';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccessRefusal } from '../../../src/access/gate.ts';
import { composeEndings, composeEndingsOfCommand } from '../../../src/compose/revocation/endings.ts';
import { readConfig } from '../../../src/config.ts';
import { UpstreamError } from '../../../src/federation/connector.ts';
import { discoverKinds } from '../../../src/federation/registry.ts';
import { localSubject } from '../../../src/federation/subject.ts';
import { createSqliteDirectory } from '../../../src/storage/directory/sqlite.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { createSqliteStatusStore } from '../../../src/storage/status/sqlite.ts';
import { connected } from '../../../src/vault/connections/changes.ts';
import { endingConnections } from '../../../src/vault/connections/person-end.ts';
import { inBackground } from '../../../src/vault/connections/revocation.ts';
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
async function begin({ revoked = async () => {} }: { revoked?: (token: string) => Promise<void> } = {}) {
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
    fetch: async (url, init) => {
      if (!String(url).startsWith('https://api.github.com/applications/client/token'))
        throw new TypeError('no network');
      await revoked(JSON.parse(String(init?.body)).access_token);
      return new Response(null, { status: 204 });
    },
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
  const kinds = await discoverKinds(new URL('../../../src/connectors/', import.meta.url));
  const opened = { store, directory, statusStore, clock, onEnded: () => {} };
  return {
    server,
    deny,
    signIn,
    connectionsOf,
    clock,
    disable: () => {
      isDisabled = true;
    },
    endings: composeEndings(readConfig(env, kinds), opened),
    command: (url: string, told: Partial<Parameters<typeof composeEndingsOfCommand>[1]> = {}) =>
      composeEndingsOfCommand(readConfig({ ...env, CONNECTOR_GITHUB_API_URL: url }, kinds), { ...opened, ...told }),
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

  it('GitHub REST API "Delete an app token": the tokens are ended there too, and the end of the person does not wait for it', async () => {
    const ended: string[] = [];
    const slow = Promise.withResolvers<void>();
    await using world = await begin({
      revoked: (token) => {
        ended.push(token);
        return slow.promise;
      },
    });
    const id = await provision(world.server, 'alice');
    await world.signIn('alice');
    await world.signIn('bob');
    await setActive(world.server, id, false);
    expect(await world.connectionsOf('alice')).toEqual(NONE);
    await expect.poll(() => ended).toEqual(['token of alice']);
    slow.resolve();
  });

  it.each([
    [204, []],
    [500, ['github']],
  ])(
    'a command ends the tokens at the upstream before it is done, and says if that does not confirm it: %i',
    async (status, said) => {
      const unconfirmed: string[] = [];
      const ended: unknown[] = [];
      await using github = await serve(async (req, res) => {
        ended.push(req.method, JSON.parse(await text(req)));
        res.writeHead(status).end();
      });
      await using world = await begin();
      await world.signIn('alice');
      const command = world.command(github.url, { onUnconfirmed: (connector) => void unconfirmed.push(connector) });
      await command.end({ kind: 'person', accountId: subjectOf('alice') }, { origin: 'cli' });
      expect(unconfirmed).toEqual(said);
      expect(ended).toEqual(['DELETE', { access_token: 'token of alice' }]);
      expect(await world.connectionsOf('alice')).toEqual(NONE);
    },
  );

  it('a command ends the access of a person before it waits for the upstream', async () => {
    const unconfirmed: string[] = [];
    const told = Promise.withResolvers<{ readonly grants: number }>();
    // Answers when the access has ended, or not within the patience of the command.
    await using github = await serve(async (_, res) => {
      await told.promise;
      res.writeHead(204).end();
    });
    await using world = await begin();
    const refreshed = await world.signIn('alice');
    const command = world.command(github.url, {
      onEnded: told.resolve,
      onUnconfirmed: (connector) => void unconfirmed.push(connector),
    });
    await command.end({ kind: 'person', accountId: subjectOf('alice') }, { origin: 'cli' });
    expect([(await told.promise).grants, unconfirmed]).toEqual([1, []]);
    expect(await refreshed()).toMatchObject({ error: 'invalid_grant' });
  });

  it('a server that stops waits for the upstream, and says whose tokens may still be good if it has no more time', async () => {
    const begun = Promise.withResolvers<void>();
    const slow = Promise.withResolvers<void>();
    const revoked = () => {
      begun.resolve();
      return slow.promise;
    };
    await using world = await begin({ revoked });
    const id = await provision(world.server, 'alice');
    await world.signIn('alice');
    await setActive(world.server, id, false);
    await begun.promise;
    const finished = Promise.resolve(world.server.finished()).then(() => 'finished');
    const first = await Promise.race([finished, new Promise((resolve) => setImmediate(resolve, 'waits'))]);
    await world.server[Symbol.asyncDispose]();
    const left = world.server.log.filter(({ msg }) => msg === 'tokens of tools deleted without a revocation');
    expect(left).toMatchObject([
      { connector: 'github', subject: subjectOf('alice'), reason: 'the server stopped before the upstream answered' },
    ]);
    slow.resolve();
    expect([first, await finished]).toEqual(['waits', 'finished']);
  });

  it('an end of everybody at once asks the upstream a hundred times at the same time at most', async () => {
    const waiting: (() => void)[] = [];
    const skipped: string[] = [];
    const { revoke } = inBackground(
      () => new Promise((resolve) => waiting.push(resolve)),
      ({ accountId }) => void skipped.push(accountId),
    );
    const end = (n: number) => revoke({ connector: 'github', accountId: `person-${n}` }, { accessToken: 'x' });
    for (let n = 0; n < 101; n += 1) await end(n);
    expect([waiting.length, skipped]).toEqual([100, ['person-100']]);
    waiting[0]?.();
    await new Promise(setImmediate);
    await end(101);
    expect([waiting.length, skipped.length]).toEqual([101, 1]);
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
