/** Proves that a subscriber gets every change once, whichever replica announces it (MCP list_changed). */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createAnnouncements } from '../../src/protocol/changes/announcements.ts';
import { messageOf } from '../../src/protocol/changes/notification.ts';
import { createChangeFeed } from '../../src/sessions/change-feed.ts';
import type { MessageBus, SessionStorage, StreamEvent } from '../../src/sessions/ports.ts';
import { STANDALONE, Streams } from '../../src/sessions/streams.ts';
import { createMemoryStorage } from '../../src/storage/memory/storage.ts';
import { LIMITS, LOG_LIMITS } from '../contracts/session-storage.contract.ts';

const NAME = { session: 's', stream: STANDALONE };
const TOOLS = { kind: 'tools' } as const;
const PROMPTS = { kind: 'prompts' } as const;

async function openReplicas(subscriptions: readonly string[] = []) {
  const clock = new FakeClock();
  const open = createMemoryStorage(clock, LIMITS, LOG_LIMITS);
  const [here, there] = [open(), open()];
  await here.store.create({
    id: NAME.session,
    owner: { issuer: 'i', subject: 's', clientId: 'c' },
    transport: 'streamable-http',
    agreed: { protocolVersion: '2025-11-25', params: { capabilities: {} } },
    subscriptions,
    created: clock.now(),
    usedUntil: clock.now(),
    tokenExpiresAt: 4_000_000_000,
  });
  return { here: createReplica(here), there: createReplica(there) };
}

function createReplica(storage: SessionStorage, bus: MessageBus = storage.bus) {
  const streams = new Streams({
    log: storage.log,
    bus,
    pause: async () => {},
    onFailure: (error) => Promise.reject(error),
  });
  const feed = createChangeFeed({ streams, changes: storage.changes, bus, peek: storage.store.get, messageOf });
  const announcements = createAnnouncements({ feed, streams, log: storage.changes });
  const settled: Promise<void>[] = [];
  bus.subscribe(
    (message) => {
      if (message.kind === 'changed') settled.push(announcements.receive(message.change, message.version));
      if (message.kind === 'wake') settled.push(Promise.resolve(streams.wake(message)));
    },
    () => {},
  );
  const heard: string[] = [];
  announcements.subscribe((change) => heard.push(change.kind));
  const connect = async (): Promise<string[]> => {
    const received: string[] = [];
    const send = ({ data }: StreamEvent) => received.push(JSON.parse(data).method) > 0;
    const attachment = await streams.attach(NAME, () => ({ send, keepAlive: () => {}, end: () => {} }));
    if (attachment) await feed.catchUp(attachment);
    await streams.wake(NAME);
    return received;
  };
  return { storage, streams, announcements, connect, heard, settled };
}

describe('MCP list_changed', () => {
  it('a change reaches a listening client at once, on whichever replica', async () => {
    const { here, there } = await openReplicas();
    const received = await here.connect();
    await there.announcements.announce(TOOLS);
    await Promise.all(here.settled);
    expect(received).toEqual(['notifications/tools/list_changed']);
  });

  it('changes during an absence are announced once on return, and none from before the first connection', async () => {
    const { here, there } = await openReplicas(['test://a']);
    await there.announcements.announce(PROMPTS);
    const first = await here.connect();
    for (const attachment of here.streams.all()) here.streams.close(attachment);
    await there.announcements.announce(TOOLS);
    await there.announcements.announce({ kind: 'resource', uri: 'test://a' });
    await there.announcements.announce({ kind: 'resource', uri: 'test://not-subscribed' });
    await there.announcements.announce(TOOLS);
    expect(first).toEqual([]);
    expect(await there.connect()).toEqual(['notifications/resources/updated', 'notifications/tools/list_changed']);
  });

  it('a change is announced on return to a client whose replica died', async () => {
    const { here, there } = await openReplicas();
    await here.connect();
    await here.storage.bus.close();
    await there.announcements.announce(TOOLS);
    expect(await there.connect()).toEqual(['notifications/tools/list_changed']);
  });

  it('a change whose announcer died is found in the log', async () => {
    const { here, there } = await openReplicas();
    const received = await here.connect();
    await here.announcements.catchUp();
    await there.storage.changes.record('tools');
    expect([received, here.heard]).toEqual([[], []]);
    await here.announcements.catchUp();
    await here.announcements.catchUp();
    expect([received, here.heard]).toEqual([['notifications/tools/list_changed'], ['tools']]);
  });

  it('two changes are announced once and in order when their messages overtake each other', async () => {
    const { here, there } = await openReplicas();
    const received = await here.connect();
    await here.announcements.catchUp();
    await there.storage.changes.record('prompts');
    await there.storage.changes.record('tools');
    await Promise.all([here.announcements.receive('tools', 2), here.announcements.receive('prompts', 1)]);
    expect(received).toEqual(['notifications/prompts/list_changed', 'notifications/tools/list_changed']);
    expect(here.heard).toEqual(['prompts', 'tools']);
  });
});
