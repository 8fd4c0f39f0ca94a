/** Proves what the public document of a status list says (Token Status List §5, §8), and how much work its readers can cause. */
import { randomBytes } from 'node:crypto';
import { decode } from '@mcp-oauth/shared/status-list/status-list';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { generateSigningKey } from '../../src/keys/signing-key.ts';
import { createStatusDocuments } from '../../src/revocation/status-documents.ts';
import type { StatusStore } from '../../src/revocation/status-store.ts';
import { StoreUnavailable } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { createSqliteStatusStore } from '../../src/storage/status/sqlite.ts';
import { register, tokensFor } from '../support/client.ts';
import { form, ISSUER, type RunningServer, startServer } from '../support/running-server.ts';
import { isMarkedIn, type Reference, referenceOf } from '../support/token-status.ts';

const LIMIT = 2 ** 17;

let clock: FakeClock;
let statusStore: StatusStore;
let server: RunningServer;
let client: Awaited<ReturnType<typeof register>>;
let uri: string;
let revokeToken: () => Promise<unknown>;

beforeEach(async () => {
  // The beginning of an hour, so that its list stays during the test.
  clock = new FakeClock(Date.now() - (Date.now() % 3_600_000));
  statusStore = createSqliteStatusStore(':memory:', clock);
  server = await startServer({ store: createSqliteStore(':memory:', clock), statusStore, clock });
  client = await register(server);
  const tokens = await tokensFor(server, client);
  uri = statusOf(tokens).uri;
  revokeToken = () => server.fetch('/revoke', form({ token: String(tokens.refresh_token), client_id: client.id }));
});
afterEach(() => server[Symbol.asyncDispose]());

const statusOf = (tokens: Readonly<Record<string, unknown>>): Reference => referenceOf(tokens.access_token);

const get = async (init: RequestInit = {}, target = uri) => {
  const answer = await server.fetch(target, init);
  return { status: answer.status, headers: answer.headers, body: await answer.text() };
};

describe('Token Status List §5 the document of a list', () => {
  it('§5.1 a list is signed like a token, by a published key, with its own type and URL', async () => {
    const { status, headers, body } = await get();
    expect([status, headers.get('content-type')]).toEqual([200, 'application/statuslist+jwt']);
    const keys = createRemoteJWKSet(new URL(`${server.address}/jwks`));
    const { payload, protectedHeader } = await jwtVerify(body, keys, { typ: 'statuslist+jwt', subject: uri });
    expect(Object.keys(protectedHeader).sort()).toEqual(['alg', 'kid', 'typ']);
    expect(Object.keys(payload).sort()).toEqual(['exp', 'iat', 'status_list', 'sub', 'ttl']);
    expect(payload).toMatchObject({ sub: uri, ttl: 5, status_list: { bits: 1, lst: expect.any(String) } });
    expect(uri).toMatch(new RegExp(`^${ISSUER}/status/[\\w-]{22}$`));
    const { lst } = payload.status_list as { lst: string };
    expect((await decode(lst, LIMIT)).length).toBe(LIMIT);
  });

  it('§8.1 a list is for every origin, cached for a second, never compressed a second time, and sets no cookie', async () => {
    const { headers } = await get({ headers: { origin: 'https://app.example', 'accept-encoding': 'gzip, deflate' } });
    expect(Object.fromEntries(headers)).toMatchObject({
      'access-control-allow-origin': '*',
      'cache-control': 'public, max-age=1',
      'x-content-type-options': 'nosniff',
      'x-request-id': expect.any(String),
    });
    for (const name of ['content-encoding', 'set-cookie', 'vary']) expect(headers.get(name)).toBeNull();
    const preflight = { origin: 'https://app.example', 'access-control-request-method': 'GET' };
    const answer = await server.fetch(uri, { method: 'OPTIONS', headers: preflight });
    expect([answer.status, answer.headers.get('access-control-allow-methods')]).toEqual([204, 'GET']);
  });

  it('RFC 9110 §13.1.2 a list that has not changed is answered with 304, and a changed one with 200', async () => {
    const etag = String((await get()).headers.get('etag'));
    const conditional = () => get({ headers: { 'if-none-match': etag } });
    expect(await conditional()).toMatchObject({ status: 304, body: '' });
    clock.advance(1);
    expect((await conditional()).status).toBe(304);
    await revokeToken();
    clock.advance(1);
    expect((await conditional()).status).toBe(200);
  });

  it('RFC 9110 §9.3.2 HEAD has the headers and no body', async () => {
    const { headers } = await get();
    const head = await get({ method: 'HEAD' });
    expect([head.status, head.body]).toEqual([200, '']);
    for (const name of ['etag', 'content-length', 'content-type'])
      expect(head.headers.get(name)).toBe(headers.get(name));
  });

  it('a list that there is not, another path below it and another method are 404', async () => {
    const answers = [
      await get({}, `/status/${'a'.repeat(22)}`),
      await get({}, '/status/'),
      await get({}, '/status/constructor'),
      await get({}, `${uri}/`),
      await get({}, `/status/${'a'.repeat(5_000)}`),
      await get({ method: 'POST' }),
      await get({ method: 'DELETE' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404));
    expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject({ error: 'not_found' });
  });

  it('§5.1 a list is signed again before it is 15 minutes old, and always has 45 minutes left', async () => {
    const seen = new Set<number>();
    for (let n = 0; n < 8; n += 1) {
      const { iat = 0, exp = 0 } = decodeJwt((await get()).body);
      const now = clock.now() / 1000;
      expect(exp - now).toBeGreaterThan(2_699);
      expect(now - iat).toBeLessThan(901);
      seen.add(iat);
      clock.advance(300);
    }
    expect(seen.size).toBeGreaterThan(2);
  });

  it('a later version never says an earlier time, whichever process signed it', async () => {
    const { iat: before = 0 } = decodeJwt((await get()).body);
    await revokeToken();
    clock.advance(1);
    const { iat: after = 0 } = decodeJwt((await get()).body);
    expect(after).toBeGreaterThanOrEqual(before);
  });
});

it('RFC 7515 §4.1.4 a list is signed by the new key at once when the signing key changes, with another ETag', async () => {
  const documents = createStatusDocuments({ store: statusStore, lists: { uriOf: () => uri }, clock });
  const list = uri.slice(uri.lastIndexOf('/') + 1);
  const [former, next] = [await generateSigningKey('ES256'), await generateSigningKey('EdDSA')];
  const signed = await documents.find(list, former);
  const again = await documents.find(list, next);
  const kids = [signed, again].map((document) => decodeProtectedHeader(String(document?.body)).kid);
  expect(kids).toEqual([former.kid, next.kid]);
  expect(again?.etag).not.toBe(signed?.etag);
  const { d: _, ...published } = next;
  await jwtVerify(String(again?.body), published, { subject: uri });
});

describe('the work that readers of the lists cause', () => {
  it('however many ask at the same time, the store is asked once in a second, and the list is built once', async () => {
    const version = vi.spyOn(statusStore, 'version');
    const marks = vi.spyOn(statusStore, 'marks');
    const bodies = (await Promise.all(Array.from({ length: 50 }, () => get()))).map(({ body }) => body);
    expect(new Set(bodies).size).toBe(1);
    expect([version.mock.calls.length, marks.mock.calls.length]).toEqual([0, 1]);
    clock.advance(1);
    await Promise.all(Array.from({ length: 50 }, () => get()));
    expect([version.mock.calls.length, marks.mock.calls.length]).toEqual([1, 1]);
    for (let n = 0; n < 10; n += 1) await get();
    expect([version.mock.calls.length, marks.mock.calls.length]).toEqual([1, 1]);
  });

  it('invented lists cost one read each, and replace no list that there is', async () => {
    await get();
    const version = vi.spyOn(statusStore, 'version');
    const marks = vi.spyOn(statusStore, 'marks');
    const create = vi.spyOn(statusStore, 'create');
    for (let n = 0; n < 100; n += 1) {
      expect((await get({}, `/status/${randomBytes(16).toString('base64url')}`)).status).toBe(404);
    }
    expect([version.mock.calls.length, marks.mock.calls.length, create.mock.calls.length]).toEqual([0, 100, 0]);
    expect((await get()).status).toBe(200);
    expect(marks.mock.calls.length).toBe(100);
  });

  it('RFC 9110 §15.6.4 a list is not published from memory while the store is unreachable, and is again afterwards', async () => {
    await get();
    clock.advance(1);
    const lost = vi.spyOn(statusStore, 'version').mockRejectedValue(new StoreUnavailable('lost'));
    const { status, headers, body } = await get();
    expect([status, headers.get('retry-after'), JSON.parse(body).error]).toEqual([503, '2', 'temporarily_unavailable']);
    lost.mockRestore();
    expect((await get()).status).toBe(200);
  });

  it('a request for a list is logged at debug level only', async () => {
    await get();
    const lines = server.log.filter(({ path }) => path === new URL(uri).pathname);
    expect(lines.map(({ level, status }) => [level, status])).toEqual([['debug', 200]]);
  });
});

it('two processes answer 304 to each other’s ETag, and mark what the other one ended within a second', async () => {
  const both = { store: createSqliteStore(':memory:', clock), statusStore, clock };
  await using one = await startServer(both);
  await using two = await startServer(both);
  const app = await register(one);
  const tokens = await tokensFor(one, app);
  const reference = statusOf(tokens);
  const etag = String((await one.fetch(reference.uri)).headers.get('etag'));
  expect((await two.fetch(reference.uri, { headers: { 'if-none-match': etag } })).status).toBe(304);
  await one.fetch('/revoke', form({ token: String(tokens.refresh_token), client_id: app.id }));
  clock.advance(1);
  expect(await isMarkedIn(await two.fetch(reference.uri), reference)).toBe(true);
  expect(decodeProtectedHeader(await (await two.fetch(reference.uri)).text()).typ).toBe('statuslist+jwt');
});
