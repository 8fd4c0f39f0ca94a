/** Proves that no token of a connected account reaches the log, also if the upstream repeats it in its errors. */
import { createLogger } from '@mcp-oauth/shared/logger';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { expect, it } from 'vitest';
import { composeConnections } from '../../../src/compose/connections/connections.ts';
import { createAccounts } from '../../../src/federation/account.ts';
import { type ToolAccess, UpstreamError } from '../../../src/federation/connector.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';

it('CWE-532 a renewal and a revocation that fail are logged without tokens and without the client secret', async () => {
  const clock = new FakeClock();
  const store = createSqliteStore(':memory:', clock);
  const lines: string[] = [];
  const log = createLogger('auth-server', 'debug', { write: (line) => lines.push(line) });
  const said = 'no grant for canary-refresh and canary-access of canary-secret';
  const fail = async () => {
    throw new UpstreamError('unavailable', `the upstream said: ${said}`, { upstreamDescription: said });
  };
  const access = { refresh: fail, revoke: fail } as unknown as ToolAccess;
  const config = { grantLifetime: 60, sessionLifetime: 60, personalTokens: 'off', personalTokenLifetime: 60 } as const;
  const connections = composeConnections(config as never, {
    store,
    clock,
    log,
    accounts: createAccounts(store, 60),
    tools: [{ id: 'git', title: 'Git', access, scopes: [], callbackUrl: '', secrets: ['canary-secret'] }],
  });
  const holder = { connector: 'git', accountId: 'alice' };
  const session = { accessToken: 'canary-access', refreshToken: 'canary-refresh', expiresAt: 0 };
  await connections?.connect(holder, { session, scopes: [] });
  await expect(connections?.token(holder, { scopes: [] })).rejects.toMatchObject({ reason: 'unavailable' });
  await connections?.disconnect(holder);
  const written = lines.filter((line) => line.includes('upstream request for tools failed'));
  expect(written).toHaveLength(2);
  expect(lines.join()).toContain('no grant for');
  expect(lines.join()).not.toMatch(/canary-/);
});
