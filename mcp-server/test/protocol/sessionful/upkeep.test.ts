/** Proves that the periodic work on open streams leaves room for requests, whatever their number. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createUpkeep, type UpkeepDependencies } from '../../../src/protocol/sessionful/upkeep.ts';
import type { StreamName } from '../../../src/sessions/ports.ts';
import type { McpSession } from '../../../src/sessions/session.ts';
import type { Attachment } from '../../../src/sessions/stream-reader.ts';
import { STANDALONE } from '../../../src/sessions/streams.ts';
import { NOTHING_REVOKED } from '../../support/revocations.ts';

const KEEP_ALIVE = 15;

/**
 * Open streams in any number, and what the upkeep did with them before each of its pauses.
 * @param whilePausing what happens to the streams during each of them
 */
function withStreams(count: number, whilePausing: (open: Map<string, Attachment>) => void = () => {}) {
  const clock = new FakeClock();
  const session = { created: clock.now(), usedUntil: clock.now(), tokenExpiresAt: clock.now() / 1000 + 600 };
  let keptAlive = 0;
  const sink = { keepAlive: () => (keptAlive += 1) };
  const attachments = Array.from({ length: count }, (_, n) => ({
    name: { session: `session-${n}`, stream: STANDALONE },
    sink,
  }));
  const open = new Map(attachments.map((attachment) => [attachment.name.session, attachment as unknown as Attachment]));
  const pauses: { readonly keptAlive: number; readonly milliseconds: number }[] = [];
  const upkeep = createUpkeep({
    changes: { catchUp: async () => {} },
    sessions: {
      keep: async () => true,
      peek: async (id) => ({ id, ...session }) as McpSession,
      endIfRevoked: async () => false,
    } as Partial<UpkeepDependencies['sessions']> as UpkeepDependencies['sessions'],
    streams: {
      all: () => [...open.values()],
      reading: ({ session }: StreamName) => open.get(session),
      renew: async () => {},
    } as unknown as UpkeepDependencies['streams'],
    multiplexer: { runs: () => [] } as unknown as UpkeepDependencies['multiplexer'],
    isRevoked: NOTHING_REVOKED.isRevoked,
    limits: { keepAlive: KEEP_ALIVE, idleTimeout: 1_800, lifetime: 86_400 } as UpkeepDependencies['limits'],
    pause: async (milliseconds) => {
      // The next turn of the event loop: everything that was begun has come to its end.
      await new Promise(setImmediate);
      pauses.push({ keptAlive, milliseconds });
      whilePausing(open);
    },
    clock,
    log: {} as UpkeepDependencies['log'],
  });
  return { upkeep, pauses, keptAlive: () => keptAlive };
}

describe('the upkeep of open streams', () => {
  it('looks at ten thousand streams in groups with pauses between them, so that no request waits for all', async () => {
    const { upkeep, pauses, keptAlive } = withStreams(10_000);
    await upkeep.tick();
    expect(keptAlive()).toBe(10_000);
    const groups = pauses.map((pause, n) => pause.keptAlive - (pauses[n - 1]?.keptAlive ?? 0));
    expect(Math.max(...groups)).toBeLessThanOrEqual(50);
    expect(groups.length).toBeGreaterThanOrEqual(199);
  });

  it('has looked at all streams before the next keep-alive is due', async () => {
    for (const count of [60, 1_000, 10_000]) {
      const { upkeep, pauses } = withStreams(count);
      await upkeep.tick();
      const all = pauses.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
      expect(all, `${count} streams`).toBeLessThanOrEqual((KEEP_ALIVE * 1000) / 2);
    }
  });

  it('does nothing for a stream that closes before its turn', async () => {
    const { upkeep, keptAlive } = withStreams(500, (open) => open.clear());
    await upkeep.tick();
    expect(keptAlive()).toBe(50);
  });

  it('makes no pause for a few streams', async () => {
    const { upkeep, pauses, keptAlive } = withStreams(50);
    await upkeep.tick();
    expect(keptAlive()).toBe(50);
    expect(pauses).toEqual([]);
  });
});
