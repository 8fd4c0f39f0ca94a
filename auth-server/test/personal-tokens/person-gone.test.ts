/**
 * Proves at running servers that a personal token ends in the background: when its person is disabled at the identity provider, or loses
 * a scope by a rule. Two servers share the work.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@mcp-oauth/shared/clock';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { composeEndings } from '../../src/compose/revocation/endings.ts';
import { readConfig } from '../../src/config.ts';
import { UpstreamError } from '../../src/federation/connector.ts';
import { discoverKinds, type OpenConnector } from '../../src/federation/registry.ts';
import { localSubject } from '../../src/federation/subject.ts';
import { createSqliteDirectory } from '../../src/storage/directory/sqlite.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { createSqliteStatusStore } from '../../src/storage/status/sqlite.ts';
import { Browser } from '../support/browser.ts';
import { openPage, tokenIn } from '../support/page-visitor.ts';
import { startServer } from '../support/running-server.ts';
import { isMarkedInStore, referenceOf } from '../support/token-status.ts';

const PATIENCE = { timeout: 30_000 };
const alice = localSubject({ issuer: 'https://acme.example', subject: 'alice' });
const MCP = 'http://localhost:8080/mcp';

describe('a personal token and its person', () => {
  let folder: string;
  let disabled: boolean;
  let asked: number;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rules-'));
    [disabled, asked] = [false, 0];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** The connector of the tests, at which an account can be disabled. */
  const askable = (acme: OpenConnector): readonly OpenConnector[] => [
    {
      ...acme,
      connector: {
        ...acme.connector,
        finish: async (...answer) => ({
          ...(await acme.connector.finish(...answer)),
          session: { refreshToken: 'a-token-of-the-upstream' },
        }),
        recheck: async (session) => {
          asked += 1;
          if (disabled) throw new UpstreamError('denied', 'the account is disabled');
          const issuer = 'https://acme.example';
          return { identity: { issuer, subject: 'alice', email: 'alice@acme.example' }, session };
        },
      },
    },
  ];

  async function start() {
    const rules = join(folder, 'admins');
    writeFileSync(rules, 'email:alice@acme.example\n');
    const env = {
      PERSONAL_TOKENS: 'on',
      UPSTREAM_RECHECK: '2s',
      RESOURCES: JSON.stringify([{ url: 'http://localhost:8080', scopes: { read: 'Read', admin: 'All' } }]),
      SCOPE_RULES: `read=anyone; admin=file:${rules}`,
    };
    const store = createSqliteStore(':memory:', systemClock);
    const statusStore = createSqliteStatusStore(':memory:', systemClock);
    const servers = await Promise.all([1, 2].map(() => startServer({ env, store, statusStore, connectors: askable })));
    const [server = expect.unreachable()] = servers;
    const browser = new Browser(server);
    await openPage(browser);
    const list = async () => (await browser.visit('/account')).text();
    const create = async (scope: string) => {
      const page = await list();
      const request = /name="request" value="([^"]*)"/.exec(page)?.[1] ?? '';
      const fields = { name: scope, lifetime: '604800', resource: MCP, scope, request, token: tokenIn(page) };
      const response = await browser.visit('/account/create-token', {
        method: 'POST',
        body: new URLSearchParams(fields),
      });
      const token = /readonly value="([^"]+)"/.exec(await response.text())?.[1] ?? '';
      const isEnded = () => isMarkedInStore(statusStore, referenceOf(token));
      return { id: String(decodeJwt(token).jti), isEnded };
    };
    return {
      rules,
      store,
      statusStore,
      config: readConfig(env, await discoverKinds(new URL('../../src/connectors/', import.meta.url))),
      list,
      create,
      log: () => servers.flatMap(({ log }) => log),
      [Symbol.asyncDispose]: async () => {
        await Promise.all(servers.map((one) => one[Symbol.asyncDispose]()));
      },
    };
  }

  it('a person who is disabled upstream loses the token without any request, and is asked about once at a time', async () => {
    await using running = await start();
    const token = await running.create('read');
    await expect.poll(() => asked, PATIENCE).toBeGreaterThan(1);
    expect(await token.isEnded()).toBe(false);
    disabled = true;
    await expect.poll(token.isEnded, PATIENCE).toBe(true);
    const [line] = running.log().filter(({ msg }) => msg === 'personal token ended');
    expect(line).toMatchObject({ tokenId: token.id, reason: expect.stringContaining('the account is disabled') });
    const ended = asked;
    expect(running.log().filter(({ msg }) => msg === 'upstream re-check failed')).toHaveLength(1);
    expect(ended).toBeGreaterThan(2);
  });

  it('a scope that a rule takes away ends the token that has it, and no other', async () => {
    await using running = await start();
    const [admin, read] = [await running.create('admin'), await running.create('read')];
    writeFileSync(running.rules, 'email:nobody@acme.example\n');
    await expect.poll(admin.isEnded, PATIENCE).toBe(true);
    expect(await read.isEnded()).toBe(false);
    expect(await running.list()).toContain(read.id);
    expect(await running.list()).not.toContain(admin.id);
  });

  it('an ending of the person ends their tokens at once, and the session with which they could make another', async () => {
    await using running = await start();
    const token = await running.create('read');
    const { config, store, statusStore } = running;
    const directory = createSqliteDirectory(':memory:', systemClock);
    const endings = composeEndings(config, { store, statusStore, directory, clock: systemClock, onEnded: () => {} });
    await endings.end({ kind: 'person', accountId: alice }, { origin: 'cli' });
    expect(await token.isEnded()).toBe(true);
    expect(await running.list()).not.toContain('create-token');
    await directory.close();
  });
});
