/** Proves when a client document is fetched, kept, used although its host is unavailable, and dropped. */
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { whenReady } from '@mcp-oauth/shared/redis/ready';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { hasRedis, NEEDS_REDIS, startRedis } from '@mcp-oauth/shared/testing/redis';
import { beforeEach, describe, expect, it } from 'vitest';
import { createClientDocuments } from '../../src/client-documents/client-documents.ts';
import { ClientDocumentError, type Reason } from '../../src/client-documents/document-error.ts';
import type { Answer, Get } from '../../src/client-documents/fetch/get.ts';
import { type RateLimit, rateLimitsOn } from '../../src/storage/rate-limit.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';

const ID = 'https://app.client.com/client.json';
const DAY = 86_400;
const KIND = 'ClientMetadataDocument';

const metadata = (change: object = {}) => ({
  client_id: ID,
  client_name: 'App',
  redirect_uris: ['https://app.client.com/cb'],
  ...change,
});
const ok = (change: object = {}, headers: Answer['headers'] = {}): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(metadata(change)),
});
const status = (code: number): Answer => ({ status: code, headers: {}, body: '' });
const failure = (reason: Reason) => new ClientDocumentError(reason, { host: 'app.client.com' });

let clock: FakeClock;
let store: RecordStore;
let asked: { url: string; etag: string | undefined }[];
/** The current answer of the host. */
let host: () => Answer | Error | Promise<Answer>;
let judge: (document: object) => void;

const get: Get = async (url, { etag }) => {
  asked.push({ url: url.href, etag });
  const answer = await host();
  if (answer instanceof Error) throw answer;
  return answer;
};

interface Change {
  readonly staleFor?: number;
  readonly callerLimit?: number;
}

/** One process; another call is another process on the same store. */
function replica({ staleFor = 30 * DAY, callerLimit = 100 }: Change = {}, createRateLimit = rateLimitsOn(undefined)) {
  const hosts = { allow: ['*'], deny: ['denied.com'], private: [] };
  const log = createLogger('test', 'silent', { write: () => {} });
  const made = createClientDocuments({ hosts, staleFor, callerLimit }, { get, store, clock, log, createRateLimit });
  return {
    name: async (id = ID, caller?: string) =>
      (await made.metadata(id, (document) => judge(document), caller)).client_name,
    fails: async (id = ID, caller?: string) =>
      made
        .metadata(id, (document) => judge(document), caller)
        .then(
          () => 'read',
          (error: unknown) => (error instanceof ClientDocumentError ? error.reason : String(error)),
        ),
    keySet: (url: string) => made.keySet(url, undefined),
  };
}

beforeEach(() => {
  clock = new FakeClock();
  store = createSqliteStore(':memory:', clock);
  asked = [];
  host = () => ok();
  judge = () => {};
});

describe('draft-ietf-oauth-client-id-metadata-document §5.2, RFC 9111 caching', () => {
  it('a fresh document is not fetched again, by any replica', async () => {
    const [first, second] = [replica(), replica()];
    host = () => ok({}, { 'cache-control': 'max-age=600' });
    expect([await first.name(), await first.name(), await second.name()]).toEqual(['App', 'App', 'App']);
    expect(asked).toHaveLength(1);
    clock.advance(599);
    await first.name();
    expect(asked).toHaveLength(1);
    clock.advance(2);
    host = () => ok({ client_name: 'New' });
    expect([await first.name(), await second.name()]).toEqual(['New', 'New']);
    expect(asked).toHaveLength(2);
  });

  it('RFC 9110 §13.1.2 a stale client metadata document is revalidated', async () => {
    const one = replica();
    host = () => ok({}, { etag: '"1"', 'cache-control': 'max-age=60' });
    await one.name();
    host = () => ({ ...status(304), headers: { 'cache-control': 'max-age=3600' } });
    clock.advance(61);
    expect(await one.name()).toBe('App');
    expect(asked.map(({ etag }) => etag)).toEqual([undefined, '"1"']);
    clock.advance(3_599);
    expect(await one.name()).toBe('App');
    expect(asked).toHaveLength(2);
  });

  it('concurrent requests for one document cause one fetch', async () => {
    const one = replica();
    let release = (_: Answer): void => {};
    host = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const all = Array.from({ length: 20 }, () => one.name());
    await expect.poll(() => asked.length).toBe(1);
    release(ok());
    expect(new Set(await Promise.all(all))).toEqual(new Set(['App']));
    expect(asked).toHaveLength(1);
  });

  it('a failed fetch is not repeated for a while, and nothing of it is stored', async () => {
    const one = replica();
    host = () => status(500);
    for (let round = 0; round < 5; round += 1) expect(await one.fails()).toBe('status');
    expect(asked).toHaveLength(1);
    expect(await store.get(KIND, ID)).toBeUndefined();
    clock.advance(31);
    host = () => ok();
    expect(await one.name()).toBe('App');
  });
});

describe('draft-ietf-oauth-client-id-metadata-document §4 validity of a document', () => {
  it.each([
    ['another client_id', ok({ client_id: `${ID}2` }), 'client_id_mismatch'],
    ['no client_id', ok({ client_id: undefined }), 'client_id_mismatch'],
    ['a secret', ok({ client_secret: 's' }), 'shared_secret'],
    ['an end of a secret', ok({ client_secret_expires_at: 0 }), 'shared_secret'],
    ['a method with a secret', ok({ token_endpoint_auth_method: 'client_secret_basic' }), 'shared_secret'],
    ['an unknown method', ok({ token_endpoint_auth_method: 'magic' }), 'shared_secret'],
    ['no name', ok({ client_name: undefined }), 'invalid'],
    ['a name that is no text', ok({ client_name: 7 }), 'invalid'],
    ['no redirect URIs', ok({ redirect_uris: undefined }), 'invalid'],
    ['an empty list of them', ok({ redirect_uris: [] }), 'invalid'],
    ['an array', { ...ok(), body: '[]' }, 'invalid'],
    ['null', { ...ok(), body: 'null' }, 'invalid'],
    ['no JSON', { ...ok(), body: '<!doctype html>' }, 'not_json'],
    ['HTML by its type', { ...ok(), headers: { 'content-type': 'text/html' } }, 'content_type'],
    ['no type', { ...ok(), headers: {} }, 'content_type'],
    ['not found', status(404), 'missing'],
    ['gone', status(410), 'gone'],
    ['a redirect', { ...ok(), status: 301 }, 'status'],
    ['another success', { ...ok(), status: 203 }, 'status'],
    ['a 304 that was not asked for', status(304), 'status'],
  ])('a document with %s is refused', async (_, answer, reason) => {
    host = () => answer;
    expect(await replica().fails()).toBe(reason);
    expect(await store.get(KIND, ID)).toBeUndefined();
  });

  it.each(['application/json; charset=utf-8', 'application/oauth-client+json', 'Application/JSON'])(
    'a document of type %s is accepted',
    async (type) => {
      host = () => ok({}, { 'content-type': type });
      expect(await replica().name()).toBe('App');
    },
  );

  it("a document that the server's own rules refuse is invalid", async () => {
    judge = () => {
      throw new Error('redirect_uris are odd');
    };
    expect(await replica().fails()).toBe('invalid');
    expect(await store.get(KIND, ID)).toBeUndefined();
  });

  it('a stored document is refused when the rules have changed', async () => {
    await replica().name();
    judge = () => {
      throw new Error('no longer');
    };
    expect(await replica().fails()).toBe('invalid');
    expect(asked).toHaveLength(2);
  });

  it('a document is valid only for its own URL, whatever is in the store', async () => {
    const document = metadata({ client_name: 'Planted', client_id: 'https://other.com/c' });
    await store.put(KIND, ID, { document, readAt: 0, freshUntil: 9e9 }, { ttl: 60 });
    await store.put(KIND, `${ID}2`, { nonsense: true }, { ttl: 60 });
    expect(await replica().name()).toBe('App');
    expect(await replica().fails(`${ID}2`)).toBe('client_id_mismatch');
  });
});

describe('RFC 5861 §4 an unreachable client host', () => {
  const outages = ['dns', 'connection', 'tls', 'timeout', 'private_address'] as const;
  it.each([
    ...outages.map((reason): [string, () => Answer | Error] => [reason, () => failure(reason)]),
    ...[301, 401, 403, 429, 500, 503].map((code): [string, () => Answer] => [String(code), () => status(code)]),
  ])('%s: a replica with an empty cache goes on with the last good document', async (_, outage) => {
    await replica().name();
    host = outage;
    clock.advance(10 * DAY);
    const cold = replica();
    expect(await cold.name()).toBe('App');
    expect(await cold.name()).toBe('App');
    expect(asked).toHaveLength(2);
    clock.advance(31);
    await cold.name();
    expect(asked).toHaveLength(3);
  });

  it('a stale document expires in the end, however much it is used', async () => {
    await replica({ staleFor: 2 * DAY }).name();
    host = () => failure('timeout');
    const one = replica({ staleFor: 2 * DAY });
    for (let hour = 1; hour < 48; hour += 1) {
      clock.advance(3_600);
      expect(await one.name()).toBe('App');
    }
    clock.advance(3_600);
    expect(await one.fails()).toBe('timeout');
  });

  it('RFC 9110 §15.5.11 a document that is gone (410) is dropped at once, on every replica', async () => {
    await replica().name();
    clock.advance(301);
    host = () => status(410);
    expect(await replica().fails()).toBe('gone');
    host = () => failure('timeout');
    expect(await replica().fails()).toBe('timeout');
  });

  it.each([
    ['not found', status(404), 'missing'],
    ['a document of another client', ok({ client_id: 'https://evil.com/c' }), 'client_id_mismatch'],
    ['a page', { ...ok(), headers: { 'content-type': 'text/html' } }, 'content_type'],
  ])('%s is tolerated for an hour, then ends the document', async (_, answer, reason) => {
    const one = replica();
    await one.name();
    host = () => answer;
    clock.advance(301);
    expect(await one.name()).toBe('App');
    clock.advance(3_600);
    expect(await one.fails()).toBe(reason);
    host = () => failure('timeout');
    expect(await replica().fails()).toBe('timeout');
  });
});

describe('protection of other hosts from floods of fetches', () => {
  it('draft-ietf-oauth-client-id-metadata-document §8.6 a host gets at most 60 fetches a minute; known clients go on', async () => {
    const one = replica();
    await one.name();
    clock.advance(301);
    for (let index = 0; index < 60; index += 1) await one.fails(`https://app.client.com/${index}`);
    asked = [];
    expect(await one.fails('https://app.client.com/more')).toBe('limited');
    expect(asked).toHaveLength(0);
    expect(await one.name()).toBe('App');
    expect(await one.fails('https://elsewhere.com/c')).toBe('client_id_mismatch');
  });

  it("RFC 6749 §10.10 invented document URLs of one caller lock nobody else out of that host's clients", async () => {
    const one = replica({ callerLimit: 1_000 });
    host = () => status(404);
    const made = Array.from({ length: 61 }, (_, index) => `https://app.client.com/made-up/${index}`);
    const outcomes = [];
    for (const id of made) outcomes.push(await one.fails(id, '192.0.2.1'));
    expect(outcomes.filter((outcome) => outcome === 'missing')).toHaveLength(60);
    expect(outcomes.at(-1)).toBe('limited');
    host = () => ok();
    expect(await one.fails(ID, '192.0.2.1')).toBe('limited');
    expect(await one.name(ID, '192.0.2.2')).toBe('App');
    // The client is known from here on, so its document is read for every caller.
    expect(await one.name(ID, '192.0.2.1')).toBe('App');
  });

  it('the fetch limit holds across replicas on one Redis', async (context) => {
    context.skip(!hasRedis, NEEDS_REDIS);
    await using redis = await startRedis();
    const log = createLogger('test', 'silent', { write: () => {} });
    const client = openRedis({ target: redisUrl().parse(redis.url), name: 'test', log });
    await whenReady(client);
    try {
      const replicas = [replica({}, rateLimitsOn(client)), replica({}, rateLimitsOn(client))];
      for (let index = 0; index < 80; index += 1) await replicas[index % 2]?.fails(`https://app.client.com/${index}`);
      expect(asked).toHaveLength(60);
    } finally {
      await client.quit();
    }
  });

  it('a caller may ask for a limited number of unknown clients', async () => {
    const one = replica({ callerLimit: 3 });
    await one.name(ID, '192.0.2.1');
    for (const index of [1, 2]) await one.fails(`https://a${index}.com/c`, '192.0.2.1');
    expect(await one.fails('https://a3.com/c', '192.0.2.1')).toBe('limited');
    expect(await one.fails('https://a3.com/c', '192.0.2.2')).toBe('client_id_mismatch');
    expect(await one.name(ID, '192.0.2.1')).toBe('App');
    expect(await replica({ callerLimit: 3 }).name(ID, '192.0.2.1')).toBe('App');
  });

  it('a client id that its URL or policy excludes causes no fetch', async () => {
    const one = replica();
    expect(await one.fails('https://denied.com/c')).toBe('denied_by_policy');
    expect(await one.fails('https://127.0.0.1/c')).toBe('url');
    await expect(one.keySet('https://denied.com/jwks.json')).rejects.toThrow('denied_by_policy');
    expect(asked).toEqual([]);
  });

  it('the memory use does not grow with the number of URLs that are tried', async () => {
    const unlimited: RateLimit = { take: async () => 0 };
    const one = replica({}, () => unlimited);
    for (let index = 0; index < 600; index += 1) await one.fails(`https://app.client.com/${index}`);
    asked = [];
    await one.fails('https://app.client.com/599');
    expect(asked).toHaveLength(0);
    await one.fails('https://app.client.com/0');
    expect(asked).toHaveLength(1);
  });
});

describe('RFC 7517 §5 the keys of a client', () => {
  const URL_OF_KEYS = 'https://app.client.com/jwks.json';
  const keys = (kid: string): Answer => ({ ...ok(), body: JSON.stringify({ keys: [{ kty: 'EC', kid }] }) });

  it('the keys of a client are refreshed within minutes and survive an outage', async () => {
    const one = replica();
    host = () => ({
      ...keys('1'),
      headers: { 'content-type': 'application/jwk-set+json', 'cache-control': 'max-age=86400' },
    });
    expect(await one.keySet(URL_OF_KEYS)).toMatchObject({ keys: [{ kid: '1' }] });
    host = () => keys('2');
    clock.advance(301);
    expect(await one.keySet(URL_OF_KEYS)).toMatchObject({ keys: [{ kid: '2' }] });
    host = () => failure('timeout');
    clock.advance(DAY);
    expect(await replica().keySet(URL_OF_KEYS)).toMatchObject({ keys: [{ kid: '2' }] });
  });

  it('the keys of a client must be a set of objects', async () => {
    for (const body of ['{}', '[]', '{"keys":{}}', '{"keys":[1]}', '{"keys":[null]}']) {
      host = () => ({ ...ok(), body });
      await expect(replica().keySet(`${URL_OF_KEYS}?${body.length}`)).rejects.toThrow('invalid');
    }
  });

  it('the keys and the metadata of one URL are two records', async () => {
    host = () => ({ ...ok(), body: JSON.stringify({ ...metadata(), keys: [] }) });
    const one = replica();
    await one.name();
    await one.keySet(ID);
    expect(asked).toHaveLength(2);
  });
});
