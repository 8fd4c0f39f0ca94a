/**
 * Proves that a refresh never costs an honest client its grant, and always costs a thief the grant: rotation, grace
 * period, lifetimes (RFC 9700 §4.14.2).
 */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type RecordStore, StoreUnavailable } from '../../../src/storage/record-store.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import {
  authorize,
  authorizePath,
  NATIVE,
  redeem,
  refresh,
  register,
  type TestClient,
  tokensFor,
  WEB,
} from '../../support/client.ts';
import { form, type RunningServer, read, startServer } from '../../support/running-server.ts';

const GRACE = 30;

let clock: FakeClock;
let store: RecordStore;
let server: RunningServer;
let client: TestClient;
beforeEach(async () => {
  clock = new FakeClock(Date.now());
  store = createSqliteStore(':memory:', clock);
  server = await startServer({ store, clock });
  client = await register(server);
});
afterEach(() => server[Symbol.asyncDispose]());

const error = async (response: Response) => [response.status, (await read(response)).error];
const successor = async (token: unknown, on = server) => {
  const response = await refresh(on, client, token);
  expect(response.status).toBe(200);
  return (await read(response)).refresh_token;
};
const spent = [400, 'invalid_grant'];

describe('refresh tokens', () => {
  it('RFC 9700 §4.14.2 a refresh token rotates: each use gives the next one', async () => {
    const first = await tokensFor(server, client);
    const second = await read(await refresh(server, client, first.refresh_token));
    const third = await read(await refresh(server, client, second.refresh_token));
    expect(third).toMatchObject({ token_type: 'Bearer', scope: 'mcp:tools', expires_in: 600 });
    expect(new Set([first, second, third].map((tokens) => tokens.refresh_token)).size).toBe(3);
  });

  it('RFC 6749 §6 a refresh token is bound to its client', async () => {
    const { refresh_token: token } = await tokensFor(server, client);
    expect(await error(await refresh(server, await register(server), token))).toEqual([400, 'invalid_grant']);
    expect((await refresh(server, client, token)).status).toBe(200);
  });

  it('RFC 6749 §6 a refresh may narrow the scope, never widen it', async () => {
    const { refresh_token: token } = await tokensFor(server, client, { scope: 'mcp:tools mcp:admin' });
    const narrow = await read(await refresh(server, client, token, { scope: 'mcp:tools' }));
    expect(narrow.scope).toBe('mcp:tools');
    const { refresh_token: small } = await tokensFor(server, client, { scope: 'mcp:tools' });
    expect(await error(await refresh(server, client, small, { scope: 'mcp:admin' }))).toEqual([400, 'invalid_scope']);
    expect((await refresh(server, client, small)).status).toBe(200);
  });

  // Codex requests `offline_access` without `prompt=consent`, and repeats it at every refresh.
  it.each([undefined, 'consent'])(
    'RFC 6749 §6 a refresh may name offline_access again, as requested with prompt %s',
    async (prompt) => {
      const scope = 'mcp:tools offline_access';
      const tokens = await tokensFor(server, client, { scope, prompt });
      const again = await read(await refresh(server, client, tokens.refresh_token, { scope }));
      expect(again.scope).toBe('mcp:tools');
    },
  );

  it('refresh tokens are issued to each client that registered the grant, and to no other', async () => {
    const without = await register(server, WEB, { grant_types: ['authorization_code'] });
    expect(await tokensFor(server, without)).not.toHaveProperty('refresh_token');
    expect(await tokensFor(server, await register(server, NATIVE))).toHaveProperty('refresh_token');
  });

  it('refresh tokens work for several clients, after the browser session has ended', async () => {
    const web = await tokensFor(server, client);
    const native = await register(server, NATIVE);
    await tokensFor(server, native);
    expect((await refresh(server, client, web.refresh_token)).status).toBe(200);
  });
});

describe('RFC 9700 §4.14.2 a refresh token that is used again', () => {
  it('concurrent uses of a refresh token get the same successor, however many', async () => {
    const { refresh_token: token } = await tokensFor(server, client);
    const answers = await Promise.all(Array.from({ length: 6 }, () => refresh(server, client, token)));
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
    const tokens = await Promise.all(answers.map(read));
    expect(new Set(tokens.map(({ refresh_token }) => refresh_token)).size).toBe(1);
    expect(new Set(tokens.map(({ access_token }) => access_token)).size).toBe(6);
    await successor(tokens[0]?.refresh_token);
  });

  it('a reuse within the grace period gets the same successor, as after a lost answer', async () => {
    const { refresh_token: token } = await tokensFor(server, client);
    const next = await successor(token);
    clock.advance(GRACE);
    expect(await successor(token)).toBe(next);
    await successor(next);
  });

  it('a reuse after the grace period ends the grant and is logged (hole 1.6/7)', async () => {
    const { refresh_token: token } = await tokensFor(server, client);
    const next = await successor(token);
    clock.advance(GRACE + 1);
    expect(await error(await refresh(server, client, token))).toEqual(spent);
    expect(await error(await refresh(server, client, next))).toEqual(spent);
    expect(server.log).toContainEqual(
      expect.objectContaining({ msg: 'security', threat: 'refresh token reused', client: client.id }),
    );
  });

  it('a reuse within the grace period, after the successor was used, is invalid_grant and keeps the grant', async () => {
    const { refresh_token: first } = await tokensFor(server, client);
    const second = await successor(first);
    const third = await successor(second);
    clock.advance(GRACE - 5);
    expect(await error(await refresh(server, client, first))).toEqual(spent);
    expect(await successor(second)).toBe(third);
    const fourth = await successor(third);
    for (const late of [first, second]) expect(await error(await refresh(server, client, late))).toEqual(spent);
    expect(await successor(third)).toBe(fourth);
    await successor(fourth);
    expect(server.log.filter(({ msg }) => msg === 'security' || msg === 'access ended')).toEqual([]);
    expect(server.log).toContainEqual(
      expect.objectContaining({ msg: 'token request refused', reason: expect.stringContaining('successor') }),
    );
  });

  it('a reuse after the grace period, when the successor was used, ends the grant', async () => {
    const { refresh_token: first } = await tokensFor(server, client);
    const third = await successor(await successor(first));
    clock.advance(GRACE + 1);
    expect(await error(await refresh(server, client, first))).toEqual(spent);
    expect(await error(await refresh(server, client, third))).toEqual(spent);
    expect(server.log).toContainEqual(expect.objectContaining({ msg: 'security', threat: 'refresh token reused' }));
  });

  it('a reuse never makes a spent successor valid again', async () => {
    const { refresh_token: first } = await tokensFor(server, client);
    const second = await successor(first);
    clock.advance(GRACE - 5);
    await successor(second);
    expect(await error(await refresh(server, client, first))).toEqual(spent);
    clock.advance(GRACE + 1);
    expect(await error(await refresh(server, client, second))).toEqual(spent);
  });

  it('a refresh token used at once with its successor gets that successor or nothing, and the grant stays valid', async () => {
    const { refresh_token: first } = await tokensFor(server, client);
    const second = await successor(first);
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) => refresh(server, client, n % 2 ? first : second)),
    );
    const tokens = await Promise.all(answers.map(read));
    const [third] = tokens.filter((_, n) => n % 2 === 0).map(({ refresh_token }) => refresh_token);
    for (const [n, { refresh_token }] of tokens.entries()) {
      expect(n % 2 ? [second, undefined] : [third]).toContain(refresh_token);
    }
    await successor(third);
  });

  it('a reuse from another client is refused and changes nothing', async () => {
    const { refresh_token: token } = await tokensFor(server, client);
    const next = await successor(token);
    expect(await error(await refresh(server, await register(server), token))).toEqual(spent);
    expect(await successor(token)).toBe(next);
  });

  it('a reuse may narrow the scope, and the full scope is available afterwards', async () => {
    const { refresh_token: token } = await tokensFor(server, client, { scope: 'mcp:tools mcp:admin' });
    const all = await read(await refresh(server, client, token));
    const less = await read(await refresh(server, client, token, { scope: 'mcp:tools' }));
    expect(less).toMatchObject({ refresh_token: all.refresh_token, scope: 'mcp:tools' });
    const again = await read(await refresh(server, client, less.refresh_token));
    expect(again.scope).toBe('mcp:tools mcp:admin');
  });

  it('RFC 7009 §2.1 a reuse after the revocation of any token of the family is refused', async () => {
    for (const revoked of ['first', 'second']) {
      const { refresh_token: first } = await tokensFor(server, client);
      const second = await successor(first);
      const token = String(revoked === 'first' ? first : second);
      expect((await server.fetch('/revoke', form({ token, client_id: client.id }))).status).toBe(200);
      expect(await error(await refresh(server, client, first)), revoked).toEqual(spent);
      expect(await error(await refresh(server, client, second)), revoked).toEqual(spent);
    }
  });

  it('a reuse gets the successor although the first attempt died between spending and writing', async () => {
    let dies = false;
    const dying: RecordStore = {
      ...store,
      putIfAbsent: async (...args) => {
        if (dies && args[0] === 'RefreshToken') throw new StoreUnavailable('killed');
        return store.putIfAbsent(...args);
      },
    };
    await using other = await startServer({ store: dying, clock });
    const { refresh_token: token } = await tokensFor(other, client);
    dies = true;
    expect((await refresh(other, client, token)).status).toBe(503);
    dies = false;
    await successor(await successor(token, other));
  });

  it('a reuse with REFRESH_GRACE=0s is refused at once, and ends the grant later', async () => {
    await using strict = await startServer({ store, clock, env: { REFRESH_GRACE: '0s' } });
    const { refresh_token: token } = await tokensFor(strict, client);
    const answers = await Promise.all(Array.from({ length: 6 }, () => refresh(strict, client, token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await error(await refresh(strict, client, token))).toEqual(spent);
    for (const { refresh_token } of (await Promise.all(answers.map(read))).filter((tokens) => tokens.refresh_token)) {
      expect(await error(await refresh(strict, client, refresh_token))).toEqual(spent);
    }
  });
});

describe('the lifetime of refresh tokens', () => {
  /** Lifetimes in seconds of all refresh tokens that were written. */
  async function lifetimes(env: Record<string, string>): Promise<number[]> {
    const written: number[] = [];
    const watched: RecordStore = {
      ...store,
      putIfAbsent: (kind, id, value, options) => {
        if (kind === 'RefreshToken') written.push(options.ttl);
        return store.putIfAbsent(kind, id, value, options);
      },
    };
    await using other = await startServer({ store: watched, clock, env });
    const { refresh_token } = await tokensFor(other, client);
    await successor(refresh_token, other);
    return written;
  }

  it('RFC 9700 §4.14.2 the lifetime is renewed with each use, by REFRESH_TOKEN_LIFETIME', async () => {
    expect(await lifetimes({ REFRESH_TOKEN_LIFETIME: '1h' })).toEqual([3_600, 3_600]);
  });

  it('the lifetime ends at the latest with the grant, GRANT_LIFETIME after the approval', async () => {
    for (const lifetime of await lifetimes({ GRANT_LIFETIME: '2m' })) {
      expect(lifetime).toBeLessThanOrEqual(125);
      expect(lifetime).toBeGreaterThan(110);
    }
  });

  it('another approval extends the lifetime, also of existing tokens', async () => {
    // The engine uses the system clock.
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const hours = (passed: number) => vi.setSystemTime(Date.now() + passed * 3_600_000);
    const replaced = vi.spyOn(store, 'replace');
    await using other = await startServer({ store, env: { GRANT_LIFETIME: '2h', SESSION_LIFETIME: '1d' } });
    client = await register(other);
    const browser = new Browser(other);
    const { code } = await authorize(other, client, {}, { browser });
    const before = await read(await redeem(other, client, code));
    hours(1);
    const { page } = await browser.follow(authorizePath(client, { prompt: 'consent' }));
    expect((await browser.submit(page, 'approve')).outside?.searchParams.get('code')).toBeTruthy();
    hours(0.9);
    const next = await successor(before.refresh_token, other);
    hours(1);
    const last = await successor(next, other);
    hours(0.2);
    expect(await error(await refresh(other, client, last))).toEqual(spent);
    const [again] = replaced.mock.calls.flatMap(([kind, , grant]) => (kind === 'Grant' ? [grant] : []));
    expect(Number(again?.after.iat) - Number(again?.before.iat), 're-checks count from the latest approval').toBe(
      3_600,
    );
  });

  it('a client that a grant uses does not expire (RFC 7591 §3.2.1)', async () => {
    await using other = await startServer({ store, clock, env: { CLIENT_LIFETIME: '1m' } });
    client = await register(other);
    const { refresh_token } = await tokensFor(other, client);
    const unused = await register(other);
    clock.advance(3_600);
    await successor(refresh_token, other);
    expect(await error(await refresh(other, unused, 'x'))).toEqual([401, 'invalid_client']);
  });
});
