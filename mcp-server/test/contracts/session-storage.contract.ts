/** Owns the contract of every session storage: one suite, run against each adapter. */
import type { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StatusReference } from '../../src/authorization/status/reference.ts';
import {
  type BusMessage,
  MAX_SUBSCRIPTIONS,
  type SessionStorage,
  START,
  type StreamName,
} from '../../src/sessions/ports.ts';
import type { McpSession } from '../../src/sessions/session.ts';
import { STANDALONE } from '../../src/sessions/streams.ts';

/** Several replicas over the same records. */
export interface StorageUnderTest extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly here: SessionStorage;
  readonly there: SessionStorage;
}

/**
 * The options of the adapters: an idle time of ten minutes, a lifetime of fifty, three sessions per person, seven in
 * all. Redis uses its own clock, from the time when it was opened for all these tests.
 */
export const LIMITS = { idleTimeout: 600, lifetime: 3_000, maxSessionsPerPrincipal: 3, maxSessions: 7 };
export const LOG_LIMITS = {
  events: 5,
  bytes: 200,
  keepOpen: 60,
  keepOver: 30,
  over: 2,
  sessionBytes: 200_000,
  personBytes: 300_000,
  totalBytes: 500_000,
};

let count = 0;
const unique = (name: string): string => {
  count += 1;
  return `${name}${count}x${process.pid}`;
};

export function sessionStorageContract(name: string, open: () => Promise<StorageUnderTest>): void {
  describe(name, () => {
    let storage: StorageUnderTest;
    beforeAll(async () => {
      storage = await open();
    });
    afterAll(() => storage[Symbol.asyncDispose]());

    const record = (subject = unique('person'), more: Partial<McpSession> = {}): McpSession => ({
      id: unique('session'),
      owner: { issuer: 'https://as.example', subject, clientId: 'client' },
      transport: 'streamable-http',
      agreed: { protocolVersion: '2025-11-25', params: { capabilities: { roots: {} } } },
      subscriptions: [],
      created: storage.clock.now(),
      usedUntil: storage.clock.now(),
      tokenExpiresAt: Math.floor(storage.clock.now() / 1000) + 600,
      ...more,
    });
    const opened = async (subject?: string, more?: Partial<McpSession>): Promise<McpSession> => {
      const session = record(subject, more);
      expect(await storage.here.store.create(session)).toEqual({});
      return session;
    };
    const close = (...sessions: readonly McpSession[]) =>
      Promise.all(sessions.map(({ id }) => storage.here.store.delete(id)));

    describe('session store', () => {
      it('a session is read at any replica as it was written, and an unknown session is not found', async () => {
        const session = await opened();
        expect(await storage.there.store.get(session.id)).toEqual(session);
        expect(await storage.there.store.get('nothing')).toBeUndefined();
        await close(session);
      });

      it('a session whose owner names no client is read as it was written, and is not that of a client', async () => {
        const owner = { issuer: 'https://as.example', subject: unique('pod') };
        const session = await opened(undefined, { owner });
        expect(await storage.there.store.get(session.id)).toEqual(session);
        const usedUntil = storage.clock.now() + 1;
        await storage.here.store.use(session, { usedUntil, tokenExpiresAt: 1 });
        const idsOf = async (clientId: string | undefined) =>
          (await storage.there.store.inUse({ ...owner, clientId }, 'streamable-http')).map(({ id }) => id);
        expect(await idsOf(undefined)).toEqual([session.id]);
        expect(await idsOf('client')).toEqual([]);
        await close(session);
      });

      it('a session is ended once, for all replicas', async () => {
        const session = await opened();
        const ended = await Promise.all([
          storage.here.store.delete(session.id),
          storage.there.store.delete(session.id),
        ]);
        expect(ended.filter(Boolean)).toHaveLength(1);
        expect(await storage.here.store.get(session.id)).toBeUndefined();
        expect(await storage.here.store.use(session, { usedUntil: 1, tokenExpiresAt: 1 })).toBe(false);
        expect(await storage.there.store.alter(session.id, { logLevel: 'error' })).toBe(false);
        expect(await storage.there.store.get(session.id)).toBeUndefined();
      });

      it('the later of two uses is kept', async () => {
        const session = await opened();
        const later = { usedUntil: session.usedUntil + 30_000, tokenExpiresAt: session.tokenExpiresAt + 30 };
        expect(await storage.here.store.use(session, later)).toBe(true);
        expect(await storage.there.store.use(session, { usedUntil: 1, tokenExpiresAt: 1 })).toBe(true);
        expect(await storage.there.store.get(session.id)).toEqual({ ...session, ...later });
        await close(session);
      });

      it('the status reference of a session is that of the token that expires last, also if that has none', async () => {
        const [first, second] = [1, 2].map((idx) => ({ uri: 'https://as.example/status/1', idx })) as [object, object];
        const session = await opened(undefined, { status: first as StatusReference });
        const stored = async () => storage.there.store.get(session.id);
        expect(await stored()).toEqual(session);
        const [usedUntil, until] = [session.usedUntil, session.tokenExpiresAt];
        const use = (seconds: number, status?: object) =>
          storage.here.store.use(session, {
            ...{ usedUntil, tokenExpiresAt: until + seconds },
            ...(status && { status: status as StatusReference }),
          });
        await use(0, second);
        await use(-5, second);
        expect((await stored())?.status).toEqual(first);
        await use(5, second);
        expect((await stored())?.status).toEqual(second);
        await use(1, first);
        await storage.here.store.alter(session.id, { logLevel: 'debug' });
        expect((await stored())?.status).toEqual(second);
        await use(9);
        expect(await stored()).not.toHaveProperty('status');
        await close(session);
      });

      it('an alteration changes the named members and nothing else', async () => {
        const session = await opened(undefined, { transport: 'http+sse' });
        const agreed = { protocolVersion: '2024-11-05', params: { capabilities: {} } };
        await storage.here.store.alter(session.id, { agreed });
        await storage.there.store.alter(session.id, { logLevel: 'warning' });
        await Promise.all([
          storage.here.store.alter(session.id, { subscribe: 'test://a' }),
          storage.there.store.alter(session.id, { subscribe: 'test://b' }),
        ]);
        await storage.there.store.alter(session.id, { unsubscribe: 'test://a' });
        const expected = { ...session, agreed, logLevel: 'warning', subscriptions: ['test://b'] };
        expect(await storage.here.store.get(session.id)).toEqual(expected);
        await close(session);
      });

      it('a session has a limit of subscriptions', async () => {
        const session = await opened();
        const subscribe = (uri: string) => storage.here.store.alter(session.id, { subscribe: uri });
        const taken = [];
        for (let n = 0; n < MAX_SUBSCRIPTIONS + 30; n += 1) taken.push(await subscribe(`test://${n}`));
        expect(taken.filter(Boolean).length).toBeLessThanOrEqual(MAX_SUBSCRIPTIONS + 10);
        expect(taken.at(-1)).toBe(false);
        expect(await subscribe('test://0')).toBe(true);
        await close(session);
      });

      it("a new session replaces the person's longest idle one, and is refused when all are in use", async () => {
        const subject = unique('collector');
        const now = storage.clock.now();
        const first = await opened(subject, { usedUntil: now - 3 });
        const second = await opened(subject, { usedUntil: now - 2 });
        const third = await opened(subject, { usedUntil: now - 1 });
        await storage.there.store.use(first, { usedUntil: now + 10_000, tokenExpiresAt: 1 });
        const fourth = record(subject, { usedUntil: now });
        expect(await storage.there.store.create(fourth)).toEqual({ evicted: second.id });
        expect(await storage.here.store.get(second.id)).toBeUndefined();
        for (const session of [third, fourth]) {
          await storage.here.store.use(session, { usedUntil: now + 10_000, tokenExpiresAt: 1 });
        }
        expect(await storage.here.store.create(record(subject))).toBe('principal');
        await close(first, third, fourth);
        await close(await opened(subject));
      });

      it('the sessions that an owner uses over a transport are known at any replica', async () => {
        const subject = unique('worker');
        const now = storage.clock.now();
        const [used, idle, other] = [await opened(subject), await opened(subject), await opened()];
        const inUse = async (at: SessionStorage, transport: McpSession['transport'] = 'streamable-http') =>
          (await at.store.inUse(used.owner, transport)).map(({ id, agreed }) => ({ id, agreed }));
        const brief = ({ id, agreed }: McpSession) => ({ id, agreed });
        const use = (session: McpSession, usedUntil: number) =>
          storage.there.store.use(session, { usedUntil, tokenExpiresAt: 1 });
        for (const session of [used, other]) await use(session, now + 1);
        expect(await inUse(storage.there)).toEqual([brief(used)]);
        expect(await inUse(storage.there, 'http+sse')).toEqual([]);
        await use(idle, now + 2);
        await close(used);
        expect(await inUse(storage.here)).toEqual([brief(idle)]);
        const elsewhere = { ...used.owner, clientId: 'another' };
        expect(await storage.here.store.inUse(elsewhere, 'streamable-http')).toEqual([]);
        await close(idle, other);
        expect(await inUse(storage.here)).toEqual([]);
      });

      it('the total number of sessions is limited and counted', async () => {
        const before = await storage.here.store.count();
        const sessions = [];
        for (let n = before; n < LIMITS.maxSessions; n += 1) sessions.push(await opened());
        expect(await storage.there.store.count()).toBe(LIMITS.maxSessions);
        const refused = record();
        expect(await storage.there.store.create(refused)).toBe('server');
        expect(await storage.there.store.get(refused.id)).toBeUndefined();
        const listed = await Array.fromAsync(storage.there.store.list());
        expect(listed.map(({ id }) => id)).toEqual(expect.arrayContaining(sessions.map(({ id }) => id)));
        await close(...sessions);
        expect(await storage.there.store.count()).toBe(before);
      });

      it('a session ends when it is idle too long, and at the end of its lifetime', async () => {
        const [idle, used] = [await opened(), await opened()];
        storage.clock.advance(450);
        await storage.here.store.use(used, { usedUntil: storage.clock.now(), tokenExpiresAt: 1 });
        storage.clock.advance(450);
        expect(await storage.there.store.get(idle.id)).toBeUndefined();
        expect(await storage.there.store.get(used.id)).toBeDefined();
        await storage.here.store.use(used, { usedUntil: storage.clock.now() + 4_000_000, tokenExpiresAt: 1 });
        storage.clock.advance(3_000);
        expect(await storage.there.store.get(used.id)).toBeUndefined();
      });
    });

    describe('event log', () => {
      let sequence = 0;
      const append = (name: StreamName, data: string, more: object = {}) => {
        sequence += 1;
        return storage.here.log.append(name, { data, producer: 'p', sequence, ...more });
      };
      const stream = async (): Promise<StreamName> => ({ session: (await opened()).id, stream: unique('r.') });
      const end = ({ session }: StreamName) => storage.here.store.delete(session);

      it('the events after a position are read in order, at any replica', async () => {
        const name = await stream();
        for (const data of ['a', 'b', 'c']) await append(name, data);
        const events = await storage.there.log.read(name, undefined, 10);
        expect(events.map(({ data }) => data)).toEqual(['a', 'b', 'c']);
        expect(new Set(events.map(({ id }) => id)).size).toBe(3);
        const rest = await storage.there.log.read(name, events[0]?.id, 1);
        expect(rest).toEqual([events[1]]);
        expect(await storage.there.log.read(name, events[2]?.id, 10)).toEqual([]);
        expect(await storage.there.log.read({ ...name, stream: 'other' }, undefined, 10)).toEqual([]);
        await end(name);
      });

      it('an event directly after the given position has its id in the result, and any other event none', async () => {
        const name = await stream();
        const idOf = async (data: string, more: object) => (await append(name, data, more)) as { id?: string };
        const ids = async () => (await storage.there.log.read(name, undefined, 10)).map(({ id }) => id);
        const { id: first = '' } = await idOf('a', { after: START });
        expect(await ids()).toEqual([first]);
        expect(await idOf('b', { after: START })).not.toHaveProperty('id');
        expect(await idOf('c', {})).not.toHaveProperty('id');
        const { id: fourth } = await idOf('d', { after: (await ids()).at(-1) });
        expect((await ids()).slice(3)).toEqual([fourth]);
        const change = { changes: 3, after: fourth };
        const { id: changed } = await idOf('e', change);
        expect(changed).toBeDefined();
        const twice = { data: 'f', producer: 'q', sequence: 1, after: changed ?? '' };
        expect(await storage.here.log.append(name, twice)).toHaveProperty('id');
        expect(await storage.here.log.append(name, twice), 'it was written before').not.toHaveProperty('id');
        const last = (await ids()).at(-1);
        expect(await idOf('g', { ...change, after: last }), 'it is not written').not.toHaveProperty('id');
        await end(name);
      });

      it('an event that its producer writes twice is stored once', async () => {
        const name = await stream();
        const event = { data: 'once', producer: 'p', sequence: 1_000_000 };
        await storage.here.log.append(name, event);
        expect(await storage.there.log.append(name, event)).toBeDefined();
        await storage.there.log.append(name, { ...event, producer: 'q' });
        expect(await storage.here.log.read(name, undefined, 10)).toHaveLength(2);
        await end(name);
      });

      it('a stream takes nothing after its last event, but accepts that event again', async () => {
        const name = await stream();
        const last = { data: 'end', producer: 'last', sequence: 1, last: true, requests: '[1]' };
        await storage.here.log.append(name, last);
        expect(await storage.here.log.append(name, last)).toBeDefined();
        expect(await append(name, 'too late')).toBeUndefined();
        expect(await storage.there.log.read(name, undefined, 10)).toEqual([
          expect.objectContaining({ data: 'end', last: true }),
        ]);
        expect(await storage.there.log.state(name)).toEqual({ reader: undefined, requests: '[1]', over: true });
        await end(name);
      });

      it('a stream of an ended session takes nothing', async () => {
        const name = await stream();
        await append(name, 'a');
        await end(name);
        expect(await append(name, 'b')).toBeUndefined();
        expect(await storage.here.log.take(name, { replica: 'r', connection: '1' })).toBeUndefined();
      });

      it('a stream drops its oldest events beyond the limits of number and bytes, and never the newest', async () => {
        const name = await stream();
        for (let n = 0; n < 9; n += 1) await append(name, `${n}`);
        const kept = await storage.there.log.read(name, undefined, 100);
        expect(kept.map(({ data }) => data)).toEqual(['4', '5', '6', '7', '8']);
        await append(name, 'x'.repeat(150));
        await append(name, 'y'.repeat(150));
        expect(await storage.there.log.read(name, undefined, 100)).toHaveLength(1);
        await append(name, 'z'.repeat(500));
        expect((await storage.there.log.read(name, undefined, 100)).map(({ data }) => data)).toEqual(['z'.repeat(500)]);
        await end(name);
      });

      it('only the newest finished and unread streams of a session are kept', async () => {
        const { session } = await stream();
        const named = (name: string): StreamName => ({ session, stream: name });
        const [first, third, fourth] = [named('r.1'), named('r.3'), named('r.4')];
        const names = [first, named('r.2'), third, fourth];
        const reader = { replica: 'r', connection: '1' };
        await storage.here.log.take(first, reader);
        for (const name of names) await append(name, 'end', { last: true });
        const kept = async () => {
          const found = await Promise.all(names.map((name) => storage.there.log.state(name)));
          return found.flatMap((state, n) => (state ? [names[n]?.stream] : []));
        };
        // The first stream is being read, whatever comes after it.
        expect(await kept()).toEqual(['r.1', 'r.3', 'r.4']);
        await storage.here.log.renew(first, reader, { cursor: '9-0' });
        await storage.here.log.release(first, reader, {});
        expect(await kept()).toEqual(['r.1', 'r.4']);
        expect(await storage.there.log.read(third, undefined, 10)).toEqual([]);
        // A client that reconnects to a stream has it for as long as it reads.
        await storage.there.log.take(fourth, reader);
        for (const name of [5, 6, 7]) await append({ session, stream: `r.${name}` }, 'end', { last: true });
        expect(await kept()).toEqual(['r.4']);
        await end(first);
      });

      const sized = (bytes: number) => 'x'.repeat(bytes);
      const reader = { replica: 'r', connection: '1' };
      /** A finished stream of so many bytes, with or without a reader. */
      const ended = async (name: StreamName, bytes: number, isRead = false) => {
        if (isRead) await storage.here.log.take(name, reader);
        return append(name, sized(bytes), { last: true });
      };
      const isKept = async (name: StreamName) => (await storage.there.log.read(name, undefined, 10)).length > 0;

      it('a session has a byte budget, in which unread finished streams make room for new events', async () => {
        const { session } = await stream();
        const [first, second, third] = ['r.1', 'r.2', 'r.3'].map((name) => ({ session, stream: name })) as [
          StreamName,
          StreamName,
          StreamName,
        ];
        await ended(first, 120_000);
        await ended(second, 70_000);
        expect([await isKept(first), await isKept(second)]).toEqual([true, true]);
        await ended(third, 90_000, true);
        expect([await isKept(first), await isKept(second), await isKept(third)]).toEqual([false, true, true]);
        await end(first);
      });

      it('an event without room in the session is refused, unless it is short and forced', async () => {
        const { session } = await stream();
        const [first, second] = [
          { session, stream: 'r.1' },
          { session, stream: 'r.2' },
        ];
        await ended(first, 150_000, true);
        expect(await append(second, sized(60_000))).toEqual({ full: 'session' });
        expect(await append(second, sized(300_000))).toEqual({ full: 'session' });
        expect(await append(second, 'short', { forced: true })).toEqual({ reader: undefined });
        expect(await append(second, sized(40_000))).toEqual({ reader: undefined });
        // Events that its reader has received are dropped as well, where nothing else frees space.
        const [event] = await storage.here.log.read(first, undefined, 1);
        const third = { session, stream: 'r.3' };
        await storage.here.log.take(third, reader);
        await append(third, 'to be handed');
        await storage.here.log.renew(first, reader, { cursor: event?.id ?? '' });
        await storage.here.log.release(first, reader, {});
        expect(await append(third, sized(100_000))).toEqual({ reader });
        expect(await isKept(first)).toBe(false);
        await end(first);
      });

      it('a person has a byte budget over all their sessions', async () => {
        const subject = unique('hoarder');
        const sessions = [await opened(subject), await opened(subject), await opened(subject)] as const;
        const name = (n: 0 | 1 | 2, number = 1): StreamName => ({ session: sessions[n].id, stream: `r.${number}` });
        await ended(name(0), 150_000);
        await ended(name(1), 100_000, true);
        await ended(name(2), 100_000, true);
        expect(await isKept(name(0)), 'what nobody reads makes room').toBe(false);
        const more = [];
        more.push(await ended(name(2, 2), 90_000, true), await ended(name(1, 2), 90_000, true));
        more.push(await ended(name(1, 3), 20_000, true));
        expect(more).toContainEqual({ full: 'principal' });
        expect(await append(name(0, 2), 'little'), 'a little is always kept').toEqual({ reader: undefined });
        await close(...sessions);
        const [again] = [await opened(subject)];
        const fresh = { session: again.id, stream: 'r.1' };
        expect(await ended(fresh, 190_000, true), 'a session that ends gives back what it had').toEqual({ reader });
        await close(again);
      });

      it('the whole server has a byte budget, in which the person with most data makes room', async () => {
        const people = [await opened(), await opened(), await opened(), await opened()] as const;
        const name = (n: 0 | 1 | 2 | 3, number = 1): StreamName => ({ session: people[n].id, stream: `r.${number}` });
        await ended(name(0), 190_000);
        await ended(name(1), 160_000, true);
        await ended(name(2), 160_000, true);
        expect(await isKept(name(0))).toBe(false);
        await ended(name(3), 160_000, true);
        const more = [];
        for (const number of [2, 3]) more.push(await ended(name(0, number), 99_000, true));
        expect(more).toContainEqual({ full: 'server' });
        await close(...people);
      });

      it('acknowledged events are dropped, and a stream that was read completely', async () => {
        const name = await stream();
        for (const data of ['a', 'b', 'c']) await append(name, data, { requests: '[1]' });
        const [, second] = await storage.here.log.read(name, undefined, 10);
        await storage.there.log.acknowledge(name, second?.id ?? '');
        expect((await storage.here.log.read(name, undefined, 10)).map(({ data }) => data)).toEqual(['c']);
        await storage.here.log.discard(name, reader);
        expect(await isKept(name), 'it is not over').toBe(true);
        await append(name, 'd', { last: true });
        await storage.here.log.take(name, reader);
        await storage.there.log.discard(name, { ...reader, connection: '2' });
        expect(await isKept(name), 'another one reads it').toBe(true);
        await storage.there.log.discard(name, reader);
        expect(await isKept(name)).toBe(false);
        expect(await storage.here.log.state(name)).toBeUndefined();
        await end(name);
      });

      it('events without data are dropped like others: beyond the limit, acknowledged, or with their stream', async () => {
        const name = await stream();
        const texts = async () => (await storage.there.log.read(name, undefined, 10)).map(({ data }) => data);
        for (const data of ['', '', 'a', 'b', 'c', 'd']) await append(name, data);
        expect(await texts()).toEqual(['', 'a', 'b', 'c', 'd']);
        const [empty] = await storage.here.log.read(name, undefined, 1);
        await storage.here.log.acknowledge(name, empty?.id ?? '');
        expect(await texts()).toEqual(['a', 'b', 'c', 'd']);
        const silent = { ...name, stream: unique('r.') };
        await storage.here.log.take(silent, reader);
        await append(silent, '', { last: true });
        await storage.here.log.discard(silent, reader);
        expect(await isKept(silent)).toBe(false);
        expect(await end(name)).toBe(true);
      });

      it('a session ends whose client has acknowledged every event', async () => {
        const name = await stream();
        await append(name, 'a');
        const [event] = await storage.here.log.read(name, undefined, 1);
        await storage.here.log.acknowledge(name, event?.id ?? '');
        expect(await end(name)).toBe(true);
      });

      it('events that show which of several requests were answered are kept', async () => {
        const name = await stream();
        await append(name, 'a', { requests: '[1,2]' });
        const [event] = await storage.here.log.read(name, undefined, 10);
        await storage.there.log.acknowledge(name, event?.id ?? '');
        expect(await isKept(name)).toBe(true);
        const standalone = { ...name, stream: STANDALONE };
        await append(standalone, 'b');
        await storage.here.log.notePending(standalone, 'one', '[1]');
        const [other] = await storage.here.log.read(standalone, undefined, 10);
        await storage.here.log.acknowledge(standalone, other?.id ?? '');
        expect(await isKept(standalone)).toBe(true);
        await end(name);
      });

      it('a stream has one reader, the newest, which learns the previous reader and its position', async () => {
        const name = await stream();
        const [first, second] = [
          { replica: 'one', connection: '1' },
          { replica: 'two', connection: '7' },
        ];
        const nothing = { previous: undefined, cursor: undefined, changes: undefined };
        expect(await storage.here.log.take(name, first)).toEqual(nothing);
        expect(await append(name, 'a')).toEqual({ reader: first });
        expect(await storage.here.log.renew(name, first, { cursor: '5-0', changes: 3 })).toBe(true);
        expect(await storage.there.log.take(name, second)).toEqual({ previous: first, cursor: '5-0', changes: 3 });
        expect(await storage.here.log.renew(name, first, { cursor: '6-0' })).toBe(false);
        await storage.here.log.release(name, first, {});
        expect((await storage.here.log.state(name))?.reader).toEqual(second);
        await storage.there.log.release(name, second, {});
        expect(await append(name, 'b')).toEqual({ reader: undefined });
        expect(await storage.there.log.take(name, first)).toMatchObject({ cursor: '5-0', changes: 3 });
        await storage.there.log.release(name, second, { cursor: '6-0' });
        expect((await storage.here.log.state(name))?.reader).toEqual(first);
        await storage.here.log.release(name, first, { cursor: '7-0', changes: 2 });
        expect(await storage.there.log.take(name, second)).toMatchObject({ cursor: '7-0', changes: 3 });
        await end(name);
      });

      it('pending answers of a replica are known at any other, until they are sent or the session ends', async () => {
        const name = { ...(await stream()), stream: STANDALONE };
        await storage.here.log.take(name, { replica: 'r', connection: '1' });
        await storage.here.log.notePending(name, 'one', '[1]');
        await storage.here.log.notePending(name, 'one', '[1,2]');
        await storage.there.log.notePending(name, 'two', '["x"]');
        expect(Object.fromEntries(await storage.there.log.pendingRequests(name))).toEqual({
          one: '[1,2]',
          two: '["x"]',
        });
        await storage.there.log.notePending(name, 'one', '');
        expect(Object.fromEntries(await storage.here.log.pendingRequests(name))).toEqual({ two: '["x"]' });
        await end(name);
        await storage.here.log.notePending(name, 'one', '[1]');
        expect((await storage.there.log.pendingRequests(name)).size).toBe(0);
      });

      it('an event records up to which change its reader knows', async () => {
        const name = await stream();
        await append(name, 'changed', { changes: 12 });
        expect(await storage.there.log.take(name, { replica: 'r', connection: '1' })).toMatchObject({ changes: 12 });
        await end(name);
      });

      it('each change is announced once, by whichever replica, and the newest is never forgotten', async () => {
        const [name, reader] = [await stream(), { replica: 'r', connection: '1' }];
        await storage.there.log.take(name, reader);
        await append(name, 'by one replica', { changes: 12 });
        expect(await append(name, 'by another one', { changes: 12 })).toEqual({ reader });
        await append(name, 'late', { changes: 11 });
        expect(await storage.there.log.read(name, undefined, 10)).toHaveLength(1);
        await storage.there.log.renew(name, reader, { changes: 10 });
        expect(await storage.there.log.take(name, reader)).toMatchObject({ changes: 12 });
        await storage.there.log.renew(name, reader, { changes: 13 });
        expect(await storage.there.log.take(name, reader)).toMatchObject({ changes: 13 });
        await end(name);
      });
    });

    describe('message bus', () => {
      it('a message reaches one replica or all others, and sending to a missing replica is reported', async () => {
        const heard = { here: [] as BusMessage[], there: [] as BusMessage[] };
        storage.here.bus.subscribe(
          (message) => heard.here.push(message),
          () => {},
        );
        storage.there.bus.subscribe(
          (message) => heard.there.push(message),
          () => {},
        );
        const message = (session: string): BusMessage => ({ kind: 'ended', session });
        expect(await storage.here.bus.send(storage.there.bus.replica, message('1'))).toBe(true);
        await storage.here.bus.broadcast(message('2'));
        await storage.there.bus.broadcast(message('3'));
        // On a Cluster two channels are at two nodes, so their messages arrive in any order.
        const inOrder = () => heard.there.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
        await expect.poll(inOrder).toEqual([message('1'), message('2')]);
        await expect.poll(() => heard.here).toEqual([message('3')]);
        expect(await storage.here.bus.send('nobody', message('4'))).toBe(false);
        const { replica } = storage.there.bus;
        expect([await storage.here.bus.isAlive(replica), await storage.here.bus.isAlive('nobody')]).toEqual([
          true,
          false,
        ]);
        expect(await storage.here.bus.isListening(replica)).toBe(true);
        expect(await storage.here.bus.isListening('nobody')).toBe(false);
      });

      it('each replica has a different name, in a form that ids can contain', () => {
        const [a, b] = [storage.here.bus.replica, storage.there.bus.replica];
        expect(a).not.toBe(b);
        for (const name of [a, b]) expect(name).toMatch(/^[0-9a-z]{8,32}$/);
      });
    });

    describe('change log', () => {
      it('changes are numbered, and each is listed once after a given number', async () => {
        const first = await storage.here.changes.record('tools');
        await storage.there.changes.record('resource:test://a');
        const third = await storage.there.changes.record('tools');
        expect(third).toBe(first + 2);
        const missed = await storage.here.changes.since(first);
        expect(missed.version).toBe(third);
        expect(missed.changes).toEqual([
          { change: 'resource:test://a', version: first + 1 },
          { change: 'tools', version: third },
        ]);
        expect(await storage.there.changes.since(third)).toEqual({ version: third, changes: [] });
      });
    });
  });
}
