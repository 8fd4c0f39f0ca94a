/** Owns the sessions of one process: the `SessionStore` of a server without Redis. */
import type { Clock } from '@mcp-oauth/shared/clock';
import { personOf, sameOwner } from '../../authorization/principal.ts';
import { type Alteration, type Full, MAX_SUBSCRIPTIONS, type Opened, type SessionStore } from '../../sessions/ports.ts';
import { endOf, type McpSession, type SessionLimits } from '../../sessions/session.ts';

/** Milliseconds by which a session may appear idle for longer than it is: a call pays for each use that is noted. */
const PACE = 1_000;

interface Kept {
  session: McpSession;
  readonly person: string;
}

export interface MemorySessionStore extends SessionStore {
  /** The person of a session that has not ended. */
  personOf(id: string): string | undefined;
}

/** @param onEnd runs for each session that ends */
export function createMemorySessionStore(
  limits: SessionLimits,
  clock: Clock,
  onEnd: (id: string) => void,
): MemorySessionStore {
  const { maxSessions, maxSessionsPerPrincipal } = limits;
  const sessions = new Map<string, Kept>();
  const people = new Map<string, Set<string>>();

  const remove = (id: string): boolean => {
    const kept = sessions.get(id);
    if (!kept) return false;
    sessions.delete(id);
    const { person } = kept;
    const theirs = people.get(person);
    theirs?.delete(id);
    if (theirs?.size === 0) people.delete(person);
    onEnd(id);
    return true;
  };
  const find = (id: string): Kept | undefined => {
    const kept = sessions.get(id);
    if (!kept || endOf(kept.session, limits) > clock.now()) return kept;
    remove(id);
    return undefined;
  };
  const sweep = (ids: Iterable<string>): void => {
    for (const id of ids) find(id);
  };
  const makeRoom = (person: string): Opened | Full => {
    const theirs = people.get(person) ?? new Set();
    if (theirs.size >= maxSessionsPerPrincipal) sweep(theirs);
    const evicted = theirs.size >= maxSessionsPerPrincipal ? idlest(theirs, sessions, clock.now()) : undefined;
    if (theirs.size >= maxSessionsPerPrincipal && evicted === undefined) return 'principal';
    if (evicted !== undefined) remove(evicted);
    if (sessions.size >= maxSessions) sweep(sessions.keys());
    if (sessions.size >= maxSessions) return 'server';
    return evicted === undefined ? {} : { evicted };
  };

  return {
    pace: PACE,
    create: async (session) => {
      const person = personOf(session.owner);
      const room = makeRoom(person);
      if (typeof room === 'string') return room;
      sessions.set(session.id, { session, person });
      people.set(person, (people.get(person) ?? new Set()).add(session.id));
      return room;
    },
    personOf: (id) => find(id)?.person,
    get: async (id) => find(id)?.session,
    use: async ({ id }, { usedUntil, tokenExpiresAt, status }) => {
      const kept = find(id);
      if (!kept) return false;
      const { status: former, ...session } = kept.session;
      const newest = tokenExpiresAt > session.tokenExpiresAt ? status : former;
      kept.session = {
        ...session,
        usedUntil: Math.max(session.usedUntil, usedUntil),
        tokenExpiresAt: Math.max(session.tokenExpiresAt, tokenExpiresAt),
        ...(newest && { status: newest }),
      };
      return true;
    },
    alter: async (id, alteration) => {
      const kept = find(id);
      const altered = kept && alter(kept.session, alteration);
      if (!altered) return false;
      kept.session = altered;
      return true;
    },
    delete: async (id) => remove(id),
    inUse: async (owner, transport) => {
      const theirs = [...(people.get(personOf(owner)) ?? [])].flatMap((id) => find(id)?.session ?? []);
      return theirs.filter(
        (session) =>
          session.transport === transport && sameOwner(session.owner, owner) && session.usedUntil > clock.now(),
      );
    },
    count: async () => {
      sweep(sessions.keys());
      return sessions.size;
    },
    list: async function* () {
      sweep(sessions.keys());
      for (const { session } of [...sessions.values()]) yield session;
    },
  };
}

function alter(session: McpSession, { subscribe, unsubscribe, ...rest }: Alteration): McpSession | undefined {
  const subscriptions = new Set(session.subscriptions);
  if (unsubscribe !== undefined) subscriptions.delete(unsubscribe);
  if (subscribe !== undefined) subscriptions.add(subscribe);
  if (subscriptions.size > MAX_SUBSCRIPTIONS) return undefined;
  return { ...session, ...rest, subscriptions: [...subscriptions] };
}

function idlest(ids: Iterable<string>, sessions: ReadonlyMap<string, Kept>, now: number): string | undefined {
  const idle = [...ids]
    .flatMap((id) => sessions.get(id)?.session ?? [])
    .filter(({ usedUntil }) => usedUntil <= now)
    .sort((a, b) => a.usedUntil - b.usedUntil);
  return idle[0]?.id;
}
