/** Proves that the key ring of personal tokens is a ring of its own: shared by processes, rotated by itself, published long enough. */

import { createLogger } from '@mcp-oauth/shared/logger';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { createKeyStore } from '../../src/keys/key-store.ts';
import { rotate } from '../../src/keys/operator-changes.ts';
import { openPersonalRing } from '../../src/keys/personal-ring.ts';
import { generateSigningKey } from '../../src/keys/signing-key.ts';
import { personalKeyPolicy } from '../../src/personal-tokens/settings.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { policy as engine, open } from '../support/opened-keys.ts';

const DAY = 86_400;
const settings = { personalTokens: 'on', personalTokenLifetime: 90 * DAY, personalTokenScopes: undefined } as const;
const policy = personalKeyPolicy(engine, settings);

describe('the key ring of personal tokens', () => {
  const log = createLogger('auth-server', 'silent', { write: () => {} });
  let clock: FakeClock;
  let store: RecordStore;
  beforeEach(() => {
    clock = new FakeClock();
    store = createSqliteStore(':memory:', clock);
  });

  const openRing = () => openPersonalRing({ store, policy, clock, log });

  it('the ring has other keys than the engine, and is the same for processes that start at once', async () => {
    const rings = await Promise.all([openRing(), openRing(), openRing()]);
    const { signing } = await open(store, clock);
    expect(new Set(rings.map((ring) => ring.signing().kid)).size).toBe(1);
    expect(rings[0]?.signing().kid).not.toBe(signing[0].kid);
  });

  it('RFC 7517 §4 only public members are published, for each algorithm', async () => {
    for (const algorithm of ['ES256', 'EdDSA', 'RS256'] as const) {
      const own = createSqliteStore(':memory:', clock);
      const ring = await openPersonalRing({ store: own, policy: { ...policy, algorithm }, clock, log });
      const [key = expect.unreachable()] = ring.published();
      const { d, p, q, dp, dq, qi, ...open } = ring.signing();
      expect(key).toEqual(open);
      expect(d).toBeDefined();
    }
  });

  it('a key that is replaced stays published until the longest token that it signed has expired', async () => {
    await openRing();
    const keyStore = createKeyStore(store, 'personal');
    const { ring } = await rotate({ store: keyStore, policy, clock, generate: generateSigningKey }, false);
    const [next, before] = ring;
    expect(next.signsFrom).toBe(Math.floor(clock.now() / 1000) + policy.lead);
    expect(before?.publishedUntil).toBe(next.signsFrom + 90 * DAY + policy.lead);
    // The engine has rotated nothing.
    expect((await createKeyStore(store).load())?.ring).toBeUndefined();
  });

  it('the ring has at most three keys, however fast the keys of the engine rotate', async () => {
    expect(policy).toMatchObject({ rotation: 90 * DAY + engine.lead, tokenLifetime: 90 * DAY, lead: engine.lead });
    expect(personalKeyPolicy({ ...engine, rotation: 365 * DAY }, settings).rotation).toBe(365 * DAY);
    expect(personalKeyPolicy({ ...engine, rotation: 0 }, settings).rotation).toBe(0);
  });
});
