/** Proves which personal tokens can be made, what is in them, what is stored of them, and that an ended one is marked. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import type { NewToken } from '../../src/personal-tokens/personal-tokens.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { alice, asked, DAY, ISSUER, MAIL, NOTES, openTokens } from '../support/personal-tokens.ts';

const person = { kind: 'person', accountId: alice } as const;

describe('personal tokens', () => {
  let clock: FakeClock;
  let store: RecordStore;
  let opened: Awaited<ReturnType<typeof openTokens>>;
  beforeEach(async () => {
    clock = new FakeClock();
    store = createSqliteStore(':memory:', clock);
    opened = await openTokens(store, clock);
  });

  const add = (changes: Partial<NewToken> = {}) => opened.tokens().addForPerson(alice, asked(changes));
  const fault = (work: Promise<unknown>) =>
    work.then(
      () => 'made',
      (error: { readonly fault?: string }) => error.fault,
    );

  it('RFC 9068 §2 a personal token is an access token for one resource, with a status reference', async () => {
    const { token, record } = await add({ scopes: ['notes:write', 'notes:read'] });
    const [key] = opened.ring.published();
    expect(key).not.toHaveProperty('d');
    const { payload } = await jwtVerify(token, await importJWK(key ?? expect.unreachable()), {
      currentDate: new Date(clock.now()),
    });
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: key?.kid });
    const now = Math.floor(clock.now() / 1000);
    expect(payload).toEqual({
      iss: ISSUER,
      sub: alice,
      aud: NOTES,
      client_id: 'personal-token',
      scope: 'notes:read notes:write',
      iat: now,
      exp: now + 30 * DAY,
      jti: record.id,
      name: 'Alice',
      groups: ['ops'],
      status: { status_list: { idx: 1, uri: `${ISSUER}/status/list` } },
    });
  });

  it('RFC 9068 §5 a service is a subject and a client of its own, which no person can be', async () => {
    const { token } = await opened.tokens().addForService('nightly-job', asked());
    const [, payload] = token.split('.');
    const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ sub: 'service:nightly-job', client_id: 'service:nightly-job', scope: 'notes:read' });
    expect(claims).not.toHaveProperty('name');
    for (const name of ['', 'Job', 'a b', '-job', 'x'.repeat(41), 'job:1', '<b>']) {
      expect(await fault(opened.tokens().addForService(name, asked()))).toBe('name');
    }
  });

  it('the token itself is neither in the store nor in the log', async () => {
    const { token } = await add();
    const everything = JSON.stringify([
      await store.get('PersonalTokens', alice),
      await Promise.all(Array.from({ length: 64 }, (_, part) => store.get('PersonalTokenOwners', String(part)))),
      opened.lines,
    ]);
    expect(everything).toContain('laptop');
    for (const part of token.split('.')) expect(everything).not.toContain(part);
  });

  it('a person gets no scope beyond their own, beyond PERSONAL_TOKEN_SCOPES, or of another resource', async () => {
    opened.world.permitted = ['notes:read', 'mail:read'];
    expect(await fault(add({ scopes: ['notes:read', 'notes:write'] }))).toBe('scope');
    expect(await fault(add({ scopes: ['mail:read'] }))).toBe('scope');
    expect(await fault(add({ scopes: ['notes:read', 'openid'] }))).toBe('scope');
    expect(await fault(add({ scopes: [] }))).toBe('scope');
    opened.world.limits = { ...opened.world.limits, scopes: new Set(['mail:read']) };
    expect(await fault(add())).toBe('scope');
    expect(await fault(add({ resource: MAIL, scopes: ['mail:read'] }))).toBe('made');
  });

  it('a lifetime beyond PERSONAL_TOKEN_LIFETIME, or none, is refused', async () => {
    expect(await fault(add({ lifetime: 90 * DAY }))).toBe('made');
    for (const lifetime of [90 * DAY + 1, 0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(await fault(add({ lifetime }))).toBe('lifetime');
      expect(await fault(opened.tokens().addForService('job', asked({ lifetime })))).toBe('lifetime');
    }
  });

  it('a name is kept as text, and one that is empty, long, of several lines or not visible is refused', async () => {
    const { record } = await add({ name: ' <script>alert(1)</script> ' });
    expect(record.name).toBe('<script>alert(1)</script>');
    for (const name of ['', '   ', 'x'.repeat(61), 'two\nlines', 'a\u202eb', '\u200b']) {
      expect(await fault(add({ name }))).toBe('name');
    }
  });

  it('an unknown resource is refused, and a person who may not come in', async () => {
    expect(await fault(add({ resource: 'https://other.example/mcp' }))).toBe('resource');
    opened.world.refusal = { reason: 'deactivated', description: 'deactivated' };
    expect(await fault(add())).toBe('refused');
    expect(await fault(opened.tokens().addForPerson('nobody', asked()))).toBe('refused');
    expect(opened.allocated()).toBe(0);
  });

  it('PERSONAL_TOKENS decides who may have tokens', async () => {
    opened.world.limits = { ...opened.world.limits, offered: 'services' };
    expect(await fault(add())).toBe('off');
    expect(await fault(opened.tokens().addForService('job', asked()))).toBe('made');
    opened.world.limits = { ...opened.world.limits, offered: 'off' };
    expect(await fault(opened.tokens().addForService('job', asked()))).toBe('off');
  });

  it('a form that is sent twice makes one token, also at the same moment', async () => {
    const results = await Promise.all([add({ id: 'form' }), add({ id: 'form' }), add({ id: 'form' })].map(fault));
    expect(results.toSorted()).toEqual(['made', 'made already', 'made already']);
    expect(await opened.tokens().list(person)).toHaveLength(1);
    expect(await fault(add({ id: 'form' }))).toBe('made already');
  });

  it('a person has at most fifty tokens at a time, also if they are made at once', async () => {
    for (let n = 0; n < 48; n += 1) await add({ lifetime: n === 0 ? 60 : DAY });
    const results = await Promise.all(Array.from({ length: 4 }, () => fault(add())));
    expect(results.toSorted()).toEqual(['made', 'made', 'too many', 'too many']);
    clock.advance(61);
    expect(await fault(add())).toBe('made');
  });

  it('an ended token is marked and gone from the list, and nobody ends that of somebody else', async () => {
    const [first, second] = [await add(), await add()];
    const service = { kind: 'service', name: 'job' } as const;
    const { record } = await opened.tokens().addForService('job', asked());
    expect(await opened.tokens().end(person, record.id)).toBeUndefined();
    expect(await opened.tokens().end(service, first.record.id)).toBeUndefined();
    expect(opened.marked).toEqual([]);
    expect(await opened.tokens().end(person, first.record.id)).toEqual(first.record);
    expect(await opened.tokens().end(person, first.record.id)).toBeUndefined();
    expect(opened.marked).toEqual([first.record.status]);
    expect(await opened.tokens().list(person)).toEqual([second.record]);
    expect(await opened.tokens().list(service)).toEqual([record]);
  });

  it('all tokens of a person end at once, and those of services stay', async () => {
    const made = [await add(), await add({ resource: MAIL, scopes: ['mail:read'] })];
    await opened.tokens().addForService('job', asked());
    expect(await opened.tokens().endAllOf(alice)).toBe(2);
    expect(opened.marked).toEqual(made.map(({ record }) => record.status));
    expect(await opened.tokens().endAllOf(alice)).toBe(0);
    const left = await opened.tokens().all();
    expect(left.flatMap(({ tokens }) => tokens)).toHaveLength(1);
  });
});
