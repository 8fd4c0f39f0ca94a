/** Proves when the operator's copy of a document is used instead of the document, and when it is not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@mcp-oauth/shared/logger';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { createClientDocuments } from '../../src/client-documents/client-documents.ts';
import { checkCopies, fileNameOf, followCopies, readCopies, textOf } from '../../src/client-documents/copies.ts';
import { ClientDocumentError, type Reason } from '../../src/client-documents/document-error.ts';
import type { Answer } from '../../src/client-documents/fetch/get.ts';
import { rateLimitsOn } from '../../src/storage/rate-limit.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';

const ID = 'https://app.client.com/client.json';
const DAY = 86_400;

const document = (change: object = {}) => ({
  client_id: ID,
  client_name: 'Copied',
  redirect_uris: ['https://app.client.com/cb'],
  ...change,
});
const ok = (change: object = {}): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(document({ client_name: 'Read', ...change })),
});
const status = (code: number): Answer => ({ status: code, headers: {}, body: '' });
const unreached = (reason: Reason) => new ClientDocumentError(reason, { host: 'app.client.com' });

let clock: FakeClock;
let store: RecordStore;
let folder: string;
let host: () => Answer | Error;
let judge: (document: object) => void;
let lines: Record<string, unknown>[];
let asked: number;
beforeEach((context) => {
  clock = new FakeClock();
  store = createSqliteStore(':memory:', clock);
  folder = mkdtempSync(join(tmpdir(), 'copies-'));
  context.onTestFinished(() => rmSync(folder, { recursive: true }));
  host = () => status(403);
  judge = () => {};
  lines = [];
  asked = 0;
});

const now = () => Math.floor(clock.now() / 1000);
const put = (change: object = {}, { id = ID, fetchedAt = now(), file = fileNameOf(id) } = {}) =>
  writeFileSync(join(folder, file), textOf({ clientId: id, fetchedAt, document: document(change) }));

/** One process on the store and the folder of copies. */
function replica({ callerLimit = 1_000 } = {}) {
  const log = createLogger('test', 'debug', { write: (line) => lines.push(JSON.parse(line)) });
  const get = async () => {
    asked += 1;
    const answer = host();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const ports = { get, store, clock, log, createRateLimit: rateLimitsOn(undefined) };
  const options = { hosts: { allow: ['*'], deny: ['denied.com'], private: [] }, staleFor: 30 * DAY, callerLimit };
  const made = createClientDocuments(options, { ...ports, findCopy: followCopies(folder, { clock, log }) });
  return {
    ...made,
    name: (id = ID, caller?: string) =>
      made
        .metadata(id, (metadata) => judge(metadata), caller)
        .then(
          ({ client_name: name }) => name,
          (error: unknown) => (error instanceof ClientDocumentError ? error.reason : String(error)),
        ),
  };
}

describe("use of the operator's copy", () => {
  it.each<[string, Answer | Error]>([
    ['403, as data centres are answered', status(403)],
    ['429', status(429)],
    ['500', status(500)],
    ['503', status(503)],
    ['599', status(599)],
    ['no name', unreached('dns')],
    ['a name that leads inside', unreached('private_address')],
    ['no connection', unreached('connection')],
    ['no TLS', unreached('tls')],
    ['no answer in time', unreached('timeout')],
    ['a proxy that refuses', unreached('proxy')],
  ])('a copy is used after %s, with a warning in the log and its date', async (_, answer) => {
    put();
    host = () => answer;
    const one = replica();
    expect(await one.name()).toBe('Copied');
    expect(one.copiedAt(ID)).toBe(now());
    const used = lines.filter(({ msg }) => msg === "operator's copy of a client document used");
    expect(used).toMatchObject([{ level: 'warn', url: ID, file: fileNameOf(ID) }]);
  });

  it('a copy is used while its host is asked again from time to time, and nobody is locked out', async () => {
    put();
    const one = replica({ callerLimit: 2 });
    for (let minute = 0; minute < 10; minute += 1) {
      expect(await one.name(ID, '192.0.2.1')).toBe('Copied');
      expect(await one.name(ID, '192.0.2.1')).toBe('Copied');
      clock.advance(31);
    }
    expect(asked).toBe(10);
    const used = lines.filter(({ msg }) => msg === "operator's copy of a client document used");
    expect(used.map(({ level }) => level)).toEqual(['warn', ...Array(9).fill('debug')]);
  });

  it('a copy is used until the host gives a good answer, and never again, on any replica', async () => {
    put();
    const one = replica();
    expect(await one.name()).toBe('Copied');
    host = () => ok();
    clock.advance(31);
    expect(await one.name()).toBe('Read');
    expect(one.copiedAt(ID)).toBeUndefined();
    host = () => status(403);
    clock.advance(29 * DAY);
    expect(await replica().name()).toBe('Read');
    // By then the last good answer is too old to be used, and has expired in the store.
    clock.advance(10 * DAY);
    expect(await replica().name()).toBe('status');
    expect(await one.name()).toBe('status');
  });

  it('a copy is used within seconds of being put into the folder', async () => {
    const one = replica();
    expect(await one.name()).toBe('status');
    put();
    clock.advance(31);
    expect(await one.name()).toBe('Copied');
    rmSync(join(folder, fileNameOf(ID)));
    clock.advance(31);
    expect(await one.name()).toBe('status');
  });

  it('a copy is used for 180 days from its time', async () => {
    put({}, { fetchedAt: now() - 179 * DAY });
    const one = replica();
    expect(await one.name()).toBe('Copied');
    clock.advance(DAY + 31);
    expect(await one.name()).toBe('status');
  });

  it('the newest of several copies is used', async () => {
    put({ client_name: 'New' }, { file: 'a.json' });
    put({ client_name: 'Old' }, { file: 'b.json', fetchedAt: now() - DAY });
    expect(await replica().name()).toBe('New');
  });
});

describe("refusal of the operator's copy", () => {
  it.each<[string, Answer | Error, string]>([
    ['404', status(404), 'missing'],
    ['410', status(410), 'gone'],
    ['401', status(401), 'status'],
    ['400', status(400), 'status'],
    ['451', status(451), 'status'],
    ['a redirect', status(302), 'status'],
    ['no JSON', { ...ok(), body: '<!doctype html>' }, 'not_json'],
    ['a page', { ...ok(), headers: { 'content-type': 'text/html' } }, 'content_type'],
    ['a document of another client', ok({ client_id: `${ID}2` }), 'client_id_mismatch'],
    ['a document with a secret', ok({ client_secret: 's' }), 'shared_secret'],
    ['a document without a name', ok({ client_name: undefined }), 'invalid'],
    ['too large a document', unreached('too_large'), 'too_large'],
    ['a content coding', unreached('encoding'), 'encoding'],
  ])('a copy is not used after %s', async (_, answer, reason) => {
    put();
    host = () => answer;
    expect(await replica().name()).toBe(reason);
  });

  it.each([404, 410])('a copy is not used once the host has answered %i, unless it was fetched later', async (code) => {
    put();
    const one = replica();
    expect(await one.name()).toBe('Copied');
    host = () => status(code);
    clock.advance(31);
    await one.name();
    host = () => status(403);
    clock.advance(31);
    expect([await one.name(), await replica().name()]).toEqual(['status', 'status']);
    put();
    clock.advance(31);
    expect(await one.name()).toBe('Copied');
  });

  it('a copy is not used where a good answer was withdrawn', async () => {
    put();
    host = () => ok();
    const one = replica();
    expect(await one.name()).toBe('Read');
    host = () => status(410);
    clock.advance(301);
    expect(await one.name()).toBe('gone');
    host = () => unreached('timeout');
    clock.advance(31);
    expect(await one.name()).toBe('timeout');
  });

  it('a copy is not used where the host had answered well before the copy was made', async () => {
    host = () => ok();
    await replica().name();
    put();
    host = () => status(403);
    clock.advance(29 * DAY);
    expect(await replica().name()).toBe('Read');
  });

  it('a copy is not used for another client, even of the same host', async () => {
    put();
    const one = replica();
    for (const id of [`${ID}?v=2`, `${ID}/`, 'https://app.client.com/CLIENT.json', 'https://client.com/client.json']) {
      expect(await one.name(id)).toBe('status');
    }
  });

  it('a copy is not used when its client_id differs or the document rules refuse it', async () => {
    put({ client_id: `${ID}2` });
    expect(await replica().name()).toBe('status');
    put({ client_secret: 'hunter2' });
    expect(await replica().name()).toBe('status');
    put();
    judge = () => {
      throw new Error('nothing is good enough');
    };
    expect(await replica().name()).toBe('status');
    const refused = lines.filter(({ msg }) => msg === "operator's copy of a client document is invalid");
    expect(refused).toHaveLength(3);
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });

  it('a copy is not used for a denied host', async () => {
    const id = 'https://denied.com/client.json';
    put({ client_id: id }, { id });
    expect(await replica().name(id)).toBe('denied_by_policy');
  });

  it('a copy is not used for the keys of a client', async () => {
    put();
    await expect(replica().keySet(ID, undefined)).rejects.toThrow('status');
  });
});

describe('the folder of copies', () => {
  it.each([
    ['no JSON', '{'],
    ['a bare document', JSON.stringify(document())],
    ['no moment', JSON.stringify({ client_id: ID, document: document() })],
    ['a day for a moment', JSON.stringify({ client_id: ID, fetched_at: 'yesterday', document: document() })],
    ['the future', JSON.stringify({ client_id: ID, fetched_at: '2999-01-01T00:00:00Z', document: document() })],
    ['no document', JSON.stringify({ client_id: ID, fetched_at: '2026-01-01T00:00:00Z', document: [] })],
    ['more members', JSON.stringify({ client_id: ID, fetched_at: '2026-01-01T00:00:00Z', document: {}, for: '9999d' })],
    ['a book', JSON.stringify({ client_id: ID, padding: 'x'.repeat(20_000) })],
  ])('a file with %s is no copy, and is reported once', async (_, text) => {
    writeFileSync(join(folder, 'odd.json'), text);
    const one = replica();
    for (let round = 0; round < 3; round += 1) {
      expect(await one.name()).toBe('status');
      clock.advance(31);
    }
    expect(lines.filter(({ msg }) => msg === 'file is not a copy of a client document')).toMatchObject([
      { file: 'odd.json' },
    ]);
  });

  it('a missing folder makes its copies unavailable and nothing else', async () => {
    rmSync(folder, { recursive: true });
    expect(await replica().name()).toBe('status');
    host = () => ok();
    clock.advance(31);
    expect(await replica().name()).toBe('Read');
    await expect(checkCopies(folder, { clock, log: createLogger('test', 'silent') })).rejects.toThrow(
      /^CLIENT_METADATA_COPIES: the folder .* can't be read \(ENOENT\)$/,
    );
    writeFileSync(folder, '');
  });

  it('other files in the folder are ignored', async () => {
    put();
    for (const name of ['README.md', '.hidden.json', 'x.json.new']) writeFileSync(join(folder, name), 'text');
    expect(await readCopies(folder, clock)).toMatchObject({ odd: [] });
  });

  it('the start reports copies that expire soon and invalid files', async () => {
    put({}, { fetchedAt: now() - 170 * DAY });
    writeFileSync(join(folder, 'odd.json'), '{');
    const log = createLogger('test', 'info', { write: (line) => lines.push(JSON.parse(line)) });
    await checkCopies(folder, { clock, log });
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      ['warn', 'file is not a copy of a client document'],
      ['warn', 'copy of a client document has expired or expires soon: fetch it again'],
      ['info', 'copies of client documents'],
    ]);
  });
});
