/** Proves edge cases of streams; schedules.test.ts tests the interleavings. */
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import type { StreamEvent } from '../../src/sessions/ports.ts';
import { Streams, type StreamsDependencies } from '../../src/sessions/streams.ts';
import { createMemoryStorage } from '../../src/storage/memory/storage.ts';
import { LIMITS, LOG_LIMITS } from '../contracts/session-storage.contract.ts';

async function openSession() {
  const open = createMemoryStorage(new FakeClock(), LIMITS, { ...LOG_LIMITS, bytes: 10_000 });
  const { store, log, bus } = open();
  const session = {
    id: 's',
    owner: { issuer: 'i', subject: 's', clientId: 'c' },
    transport: 'streamable-http' as const,
    subscriptions: [],
    created: new FakeClock().now(),
    usedUntil: new FakeClock().now(),
    tokenExpiresAt: 4_000_000_000,
  };
  await store.create(session);
  const streamsOver = (dependencies: Pick<StreamsDependencies, 'log' | 'bus'> & Partial<StreamsDependencies>) =>
    new Streams({ pause: async () => {}, onFailure: (error) => Promise.reject(error), ...dependencies });
  const name = { session: 's', stream: 'standalone' };
  return { log, bus, streamsOver, streams: streamsOver({ log, bus }), there: streamsOver(open()), name };
}

function createSink() {
  const sink = {
    ended: false,
    send: () => true,
    keepAlive: () => {},
    end: () => {
      sink.ended = true;
    },
  };
  return sink;
}

describe('streams on several replicas', () => {
  it('streams release a connection that closed before it was attached', async () => {
    const { log, streams, name } = await openSession();
    await streams.attach(name, (detach) => {
      detach();
      return createSink();
    });
    await setImmediate();
    expect(streams.all()).toEqual([]);
    expect((await log.state(name))?.reader).toBeUndefined();
  });

  it('streams release a connection whose stream was taken elsewhere, although the message was lost', async () => {
    const { log, bus, streamsOver, there, name } = await openSession();
    const deaf = streamsOver({ log, bus: { ...bus, subscribe: () => {} } });
    const first = createSink();
    await deaf.attach(name, () => first);
    await there.attach(name, createSink);
    await deaf.attach(name, createSink);
    expect(first.ended).toBe(true);
    expect(deaf.all()).toHaveLength(1);
  });

  it('streams end a connection whose stream another one takes before the attachment is confirmed', async () => {
    const { log, bus, streamsOver, name } = await openSession();
    const [taken, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const take: typeof log.take = async (...args) => {
      const result = await log.take(...args);
      taken.resolve();
      await answer.promise;
      return result;
    };
    const streams = streamsOver({ log: { ...log, take }, bus });
    const sink = createSink();
    const attached = streams.attach(name, () => sink);
    await taken.promise;
    streams.taken(name, '1');
    answer.resolve();
    await attached;
    expect(sink.ended).toBe(true);
    expect(streams.all()).toEqual([]);
  });

  it('a fault while a stream is read, which nobody waits for, is reported and ends no process', async () => {
    const { log, bus, streamsOver, name } = await openSession();
    const fault = new TypeError('a bug');
    const told: unknown[] = [];
    const read = () => Promise.reject(fault);
    const streams = streamsOver({ log: { ...log, read }, bus, onFailure: (error) => told.push(error) });
    await streams.attach(name, createSink);
    await streams.announce('s', { data: 'a' });
    for (const _ of [1, 2]) streams.wakeAll();
    await expect.poll(() => told).toEqual([fault, fault]);
  });

  it('the end of a session ends each of its streams here, and none of another session', async () => {
    const { streams } = await openSession();
    const names = ['standalone', 'r.1', 'r.2'].map((stream) => ({ session: 's', stream }));
    const sinks = names.map(createSink);
    for (const [n, name] of names.entries()) await streams.attach(name, () => sinks[n] ?? createSink());
    streams.end('another');
    streams.taken({ session: 's', stream: 'r.1' }, '2');
    expect(streams.all().map(({ name }) => name.stream)).toEqual(['standalone', 'r.2']);
    streams.end('s');
    expect(sinks.map(({ ended }) => ended)).toEqual([true, true, true]);
    expect(streams.all()).toEqual([]);
    expect(streams.reading({ session: 's', stream: 'standalone' })).toBeUndefined();
  });

  it('events that follow one another are sent without reading the log, and what came before them is read', async () => {
    const { log, bus, streamsOver, there, name } = await openSession();
    let reads = 0;
    const read = (...position: Parameters<typeof log.read>) => {
      reads += 1;
      return log.read(...position);
    };
    const streams = streamsOver({ log: { ...log, read }, bus });
    const got: string[] = [];
    await streams.attach(name, () => ({ ...createSink(), send: ({ data }: StreamEvent) => got.push(data) > 0 }));
    for (const data of ['a', 'b']) await streams.announce('s', { data });
    expect([got, reads]).toEqual([['a', 'b'], 0]);
    // Nobody here receives the wake-up.
    await there.announce('s', { data: 'c' });
    await streams.announce('s', { data: 'd' });
    await expect.poll(() => got).toEqual(['a', 'b', 'c', 'd']);
    expect(reads).toBe(1);
    await streams.announce('s', { data: 'e' });
    expect([got.at(-1), reads]).toEqual(['e', 1]);
  });

  it('streams deliver an event to the next connection when one refuses it', async () => {
    const { streams, name } = await openSession();
    for (const data of ['a', 'b']) await streams.announce('s', { data });
    const got: string[] = [];
    const takes = (most: number) => () => ({
      ...createSink(),
      send: ({ data }: StreamEvent) => got.length < most && got.push(data) > 0,
    });
    for (const most of [1, 2]) {
      await streams.attach(name, takes(most));
      await streams.wake(name);
    }
    expect(got).toEqual(['a', 'b']);
  });

  it('streams answer each call of a lost replica once, although two replicas clean up at the same time', async () => {
    const { log, streams, there } = await openSession();
    const name = { session: 's', stream: 'gone.1' };
    await log.append(name, { data: '', producer: 'gone', sequence: 1, requests: '[1,2]' });
    for (const replica of [streams, there]) await replica.attach(name, createSink);
    await Promise.all([streams.answerForLostReplicas(), there.answerForLostReplicas(), there.answerForLostReplicas()]);
    const ids = (await log.read(name, undefined, 10)).flatMap(({ data }) => (data ? [JSON.parse(data).id] : []));
    expect(ids).toEqual([1, 2]);
    expect((await log.state(name))?.over).toBe(true);
  });
});
