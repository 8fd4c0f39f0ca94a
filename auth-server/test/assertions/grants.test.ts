/** Proves that the grant of the ID-JAGs of one person and client outlives its tokens, and says what each MCP server may know. */
import { seconds } from '@mcp-oauth/shared/clock';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { decodeJwt } from 'jose';
import { expect, it } from 'vitest';
import { grantsCommands } from '../../src/cli/grants/grants.ts';
import { createSqliteDirectory } from '../../src/storage/directory/sqlite.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { createSqliteStatusStore } from '../../src/storage/status/sqlite.ts';
import { commandsOn } from '../support/command-store.ts';
import { startEnterprise } from '../support/enterprise.ts';
import { MCP, read } from '../support/running-server.ts';

/** A function whose first call does it, and whose others do nothing. */
const once = (run: () => Promise<unknown>) => {
  let isDone = false;
  return async () => {
    if (isDone) return;
    isDone = true;
    await run();
  };
};

/** A server whose time changes only when a test says so, and whose grants the operator ends. */
async function startAt(clock: FakeClock, env: Record<string, string> = {}) {
  const stores = {
    store: createSqliteStore(':memory:', clock),
    directory: createSqliteDirectory(':memory:', clock),
    statusStore: createSqliteStatusStore(':memory:', clock),
  };
  const enterprise = await startEnterprise(env, { ...stores, clock });
  const { present, idJag } = enterprise;
  return {
    enterprise,
    issued: () => idJag({ iat: seconds(clock), exp: seconds(clock) + 600 }),
    tokens: async () => read(await present(await idJag({ iat: seconds(clock), exp: seconds(clock) + 600 }))),
    end: (id: string) => run(grantsCommands(commandsOn({ ...stores, clock })), `end -- ${id}`, { NODE_ENV: 'test' }),
    /** Of the only grant. */
    listed: async () => {
      const [grant, ...others] = (await stores.directory.list()).items;
      if (!grant || others.length > 0) throw new Error('there is not exactly one grant');
      return { id: grant.id, left: grant.expiresAt - seconds(clock) };
    },
  };
}

it('a grant is listed for as long as its longest token lives, so that an ending finds it', async () => {
  const clock = new FakeClock(Date.now());
  const day = { ENTERPRISE_ISSUER_OKTA_TOKEN_LIFETIME: '1d', ACCESS_TOKEN_LIFETIME: '1d' };
  const { enterprise, tokens, listed } = await startAt(clock, day);
  await using _ = enterprise;
  await tokens();
  clock.advance(11 * 3_600);
  const { expires_in: lifetime } = await tokens();
  expect(lifetime).toBe(86_400);
  expect((await listed()).left).toBeGreaterThanOrEqual(86_400);
});

it('an ID-JAG from before the end of a grant gives nothing, also if the grant was about to expire', async () => {
  const clock = new FakeClock(Date.now());
  const { enterprise, issued, tokens, listed, end } = await startAt(clock);
  await using _ = enterprise;
  await tokens();
  const { id, left } = await listed();
  clock.advance(left - 100);
  const unused = await issued();
  clock.advance(10);
  await end(id);
  clock.advance(200);
  expect(await enterprise.refused(unused)).toMatchObject({
    error: 'invalid_grant',
    reason: expect.stringContaining('ended'),
  });
});

it('an ID-JAG that is redeemed while all access is ended leaves no access behind', async () => {
  const clock = new FakeClock(Date.now());
  const stores = {
    store: createSqliteStore(':memory:', clock),
    directory: createSqliteDirectory(':memory:', clock),
    statusStore: createSqliteStatusStore(':memory:', clock),
  };
  const end = once(() =>
    run(grantsCommands(commandsOn({ ...stores, clock })), 'end --before now --yes', { NODE_ENV: 'test' }),
  );
  // The account is read after the check of what has ended, and before the grant is written.
  const get: typeof stores.store.get = async (kind, id) => {
    if (kind === 'Account') await end();
    return stores.store.get(kind, id);
  };
  await using enterprise = await startEnterprise({}, { ...stores, store: { ...stores.store, get }, clock });
  const idJag = await enterprise.idJag({ iat: seconds(clock) - 60 });
  expect(await enterprise.refused(idJag)).toMatchObject({ reason: expect.stringContaining('ended') });
  expect((await stores.directory.list()).items).toEqual([]);
});

it('RFC 9068 §2.2.2 a client that uses two MCP servers in turn gets each time what the server may know of the person', async () => {
  const servers = [8080, 8081].map((port) => ({ url: `http://localhost:${port}`, claims: ['email'] }));
  await using enterprise = await startEnterprise({ RESOURCES: JSON.stringify(servers) });
  const email = 'alice@acme.example';
  const emailAt = async (resource: string) => {
    const idJag = await enterprise.idJag({ resource, email, email_verified: true });
    const { access_token: access } = await read(await enterprise.present(idJag));
    return decodeJwt(String(access)).email;
  };
  for (const resource of [MCP, 'http://localhost:8081/mcp', MCP]) expect(await emailAt(resource), resource).toBe(email);
});
