/**
 * Proves that a logout which fails because the provider or the store is away is answered with 400, and that the same token ends the
 * sessions when it is sent again (OpenID Connect Back-Channel Logout 1.0 §2.8).
 */
import { systemClock } from '@mcp-oauth/shared/clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../../src/storage/record-store.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import { authorize, authorizePath, register } from '../../support/client.ts';
import { type LogoutUpstream, report, startLogoutUpstream } from '../../support/logout-upstream.ts';
import { type RunningServer, read, startServer } from '../../support/running-server.ts';

let upstream: LogoutUpstream;
beforeEach(async () => {
  upstream = await startLogoutUpstream();
});
afterEach(() => upstream[Symbol.asyncDispose]());

async function expectUsed(at: RunningServer, token: string) {
  const again = await report(at, token);
  expect([again.status, (await read(again)).error_description]).toEqual([400, 'the logout token was used before']);
}

describe('OpenID Connect Back-Channel Logout §2.8 a logout that fails', () => {
  it('logouts that fail because the keys cannot be read do not count as failures of the provider', async () => {
    await using limited = await startServer({ env: { FAILURE_LIMIT: '2' }, connectors: upstream.connectors });
    const keys = upstream.play.stage.routes.get('/jwks');
    upstream.play.stage.routes.delete('/jwks');
    for (let n = 0; n < 5; n += 1) {
      const failure = await report(limited, await upstream.token({ sub: 'alice' }));
      expect([failure.status, (await read(failure)).error]).toEqual([400, 'temporarily_unavailable']);
    }
    upstream.play.stage.routes.set('/jwks', keys ?? (() => undefined));
    expect((await report(limited, await upstream.token({ sub: 'alice' }))).status).toBe(200);
  });

  it('a logout fails with 400 while the provider or the store is down, and the same token succeeds later', async () => {
    const store = createSqliteStore(':memory:', systemClock);
    let isDown = true;
    const put: typeof store.put = async (kind, ...rest) => {
      if (isDown && kind === 'SignedOut') throw new StoreUnavailable(new Error('gone'));
      return store.put(kind, ...rest);
    };
    await using flaky = await startServer({ store: { ...store, put }, connectors: upstream.connectors });
    const token = await upstream.token({ sub: 'alice' });
    const keys = upstream.play.stage.routes.get('/jwks');
    upstream.play.stage.routes.delete('/jwks');
    const failures = [await report(flaky, token)];
    upstream.play.stage.routes.set('/jwks', keys ?? (() => undefined));
    failures.push(await report(flaky, token));
    for (const failure of failures) {
      expect([failure.status, (await read(failure)).error]).toEqual([400, 'temporarily_unavailable']);
    }
    isDown = false;
    expect((await report(flaky, token)).status).toBe(200);
  });

  it('a logout that failed because the store went away in its middle succeeds when it is sent again', async () => {
    const store = createSqliteStore(':memory:', systemClock);
    let writes = 0;
    let isAway = false;
    const flaky =
      <Args extends readonly unknown[], T>(write: (...args: Args) => Promise<T>) =>
      async (...args: Args): Promise<T> => {
        if (isAway && writes > 0) throw new StoreUnavailable(new Error('gone'));
        writes += 1;
        return write(...args);
      };
    const [put, putIfAbsent] = [flaky(store.put), flaky(store.putIfAbsent)];
    await using halfway = await startServer({
      store: { ...store, put, putIfAbsent, delete: flaky(store.delete) },
      connectors: upstream.connectors,
    });
    const client = await register(halfway);
    const browser = new Browser(halfway);
    await authorize(halfway, client, {}, { browser, person: 'alice/s1' });
    const token = await upstream.token({ sub: 'alice' });
    [writes, isAway] = [0, true];
    const failure = await report(halfway, token);
    expect([failure.status, (await read(failure)).error, writes]).toEqual([400, 'temporarily_unavailable', 1]);
    isAway = false;
    expect((await report(halfway, token)).status).toBe(200);
    expect((await browser.follow(authorizePath(client))).outside).toBeUndefined();
    await expectUsed(halfway, token);
  });
});
