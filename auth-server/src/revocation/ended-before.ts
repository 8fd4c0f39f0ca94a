/**
 * Owns the moments before which the grants of a person, of a client or of everybody have ended. An ending finds the grants that are
 * listed; these records refuse the others: grants of an earlier version, which are listed at their next use.
 */
import type { RecordStore } from '../storage/record-store.ts';

/** Whose grants a moment ends. */
export type Scope =
  | { readonly kind: 'person'; readonly accountId: string }
  | { readonly kind: 'client'; readonly clientId: string }
  | { readonly kind: 'everything' };

interface Begun {
  readonly accountId: string;
  readonly clientId: string;
  /** The first approval, in seconds since the epoch. */
  readonly createdAt: number;
}

export interface EndedBefore {
  /** A moment never moves backward. */
  set(scope: Scope, moment: number): Promise<void>;
  includes(grant: Begun): Promise<boolean>;
}

const KIND = 'EndedBefore';

/** Seconds that a moment is kept at least: grants that were approved under an earlier, longer lifetime must not become valid again. */
const KEPT = 400 * 86_400;

const keyOf = (scope: Scope): string => {
  if (scope.kind === 'person') return `person:${scope.accountId}`;
  return scope.kind === 'client' ? `client:${scope.clientId}` : scope.kind;
};

/** @param lifetime seconds: at least that of a grant */
export function createEndedBefore(store: RecordStore, lifetime: number): EndedBefore {
  const ttl = Math.max(lifetime, KEPT);
  const read = async (key: string): Promise<number> => {
    const moment = (await store.get(KIND, key))?.value.moment;
    return typeof moment === 'number' ? moment : 0;
  };
  return {
    set: async (scope, moment) => {
      const key = keyOf(scope);
      for (;;) {
        const before = await store.get(KIND, key);
        const latest = Math.max(moment, Number(before?.value.moment ?? 0));
        const after = { moment: latest };
        const done = before
          ? await store.replace(KIND, key, { before: before.value, after, ttl })
          : await store.putIfAbsent(KIND, key, after, { ttl });
        if (done) return;
      }
    },
    includes: async ({ accountId, clientId, createdAt }) => {
      const scopes: readonly Scope[] = [
        { kind: 'person', accountId },
        { kind: 'client', clientId },
        { kind: 'everything' },
      ];
      const moments = await Promise.all(scopes.map((scope) => read(keyOf(scope))));
      return moments.some((moment) => createdAt < moment);
    },
  };
}
