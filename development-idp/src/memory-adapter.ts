/** Owns the storage of the development IdP: in memory, without persistence; expired records are removed. */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { Adapter, AdapterPayload } from 'oidc-provider';

interface Entry {
  readonly payload: AdapterPayload;
  readonly end: number;
}

/** One adapter per kind of record; oidc-provider requests each by name. */
export const createMemoryAdapter = (clock: Clock) => (): Adapter => {
  const entries = new Map<string, Entry>();
  const alive = (id: string): AdapterPayload | undefined => {
    const entry = entries.get(id);
    return entry && entry.end > clock.now() ? entry.payload : undefined;
  };
  const sweep = () => {
    for (const [id, { end }] of entries) if (end <= clock.now()) entries.delete(id);
  };
  const findBy = (member: 'uid' | 'userCode', value: string) =>
    entries
      .keys()
      .map(alive)
      .find((payload) => payload?.[member] === value);
  return {
    upsert: async (id, payload, expiresIn) => {
      sweep();
      entries.set(id, { payload, end: clock.now() + (expiresIn ?? 3_600) * 1000 });
    },
    find: async (id) => alive(id),
    findByUid: async (uid) => findBy('uid', uid),
    findByUserCode: async (userCode) => findBy('userCode', userCode),
    consume: async (id) => {
      const payload = alive(id);
      if (payload) payload.consumed = Math.floor(clock.now() / 1000);
    },
    destroy: async (id) => {
      entries.delete(id);
    },
    revokeByGrantId: async (grantId) => {
      for (const [id, { payload }] of entries) if (payload.grantId === grantId) entries.delete(id);
    },
  };
};
