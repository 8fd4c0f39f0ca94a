/**
 * Owns a replica's access to sessions: opening within limits, finding for their owner only, ending on request (MCP
 * 2025-11-25, "Session Management"). The record in the store is authoritative; the copy here lives for seconds.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '@mcp-oauth/shared/clock';
import { BoundedMap } from '@mcp-oauth/shared/collections/bounded-map';
import { type Owner, type Principal, sameOwner } from '../authorization/principal.ts';
import type { Revocations } from '../authorization/status/reference.ts';
import {
  type Alteration,
  type Full,
  type InUse,
  type SessionStorage,
  StorageFault,
  StorageUnavailable,
} from './ports.ts';
import {
  type Agreement,
  isOfToken,
  type McpSession,
  ownerOf,
  referringOf,
  type SessionLimits,
  withToken,
} from './session.ts';

/** `foreign` is for the log only: the client gets the same answer for both. */
type Absent = 'unknown' | 'foreign';
type Found = McpSession | Absent;

export interface SessionHost {
  open(principal: Principal, transport: McpSession['transport'], agreed?: Agreement): Promise<McpSession | Full>;
  /** Counts as use of the session. Answers synchronously when the record was read a moment ago. */
  find(id: string, principal: Principal): Found | Promise<Found>;
  /** The record of a session, without using it. */
  peek(id: string): Promise<McpSession | undefined>;
  /** @returns false when the session has ended, or has its maximum number of subscriptions */
  alter(id: string, alteration: Alteration): Promise<boolean>;
  /**
   * Keeps a session from becoming idle while something of it is open or running here.
   * @returns false when it has ended
   */
  keep(id: string): Promise<boolean>;
  /** @returns false when it had ended before */
  end(id: string): Promise<boolean>;
  /** Ends a session whose newest token was revoked. @returns whether it was */
  endIfRevoked(session: McpSession): Promise<boolean>;
  /**
   * Ends the sessions whose newest token was revoked, of those that were served here.
   * @returns the owners of those that no other replica has ended first
   */
  endRevoked(): Promise<readonly Owner[]>;
  /** Another replica has changed the record, or may have: the next use reads it again. Without an id, all records. */
  invalidate(id?: string): void;
  /** Another replica has ended the session. */
  forget(id: string): void;
  /** The sessions of an owner over one transport that are in use, on any replica. */
  inUse(owner: Owner, transport: McpSession['transport']): Promise<readonly InUse[]>;
  count(): Promise<number>;
}

export interface SessionHostDependencies {
  readonly storage: Pick<SessionStorage, 'store' | 'bus'>;
  readonly limits: SessionLimits;
  readonly revocations: Revocations;
  readonly clock: Clock;
  /** Resolves after so many milliseconds. */
  readonly pause: (milliseconds: number) => Promise<void>;
  /** Runs when a session is known to have ended, possibly more than once. */
  readonly onEnd: (id: string) => void;
  /** Called with the error of work that nobody waits for. */
  readonly onFailure: (error: unknown) => void;
}

/** Milliseconds for which a copy is used. The bus announces changes; this bounds the effect of a lost message. */
const FRESH = 10_000;
/** Maximum number of copies. */
const CAPACITY = 20_000;
/** Milliseconds by which a session with something open is marked as used ahead; `keep` does it again after half of them. */
const AHEAD = 60_000;

/**
 * Milliseconds that a request for a session without a copy here waits for the store: as long as a restart of Redis
 * takes.
 */
const PATIENCE = 3_000;
const PAUSE = 250;

/** Number of sessions that are ended at the same time. */
const AT_ONCE = 100;

interface Ending {
  readonly isOver: boolean;
  /** Present if the session was ended here. */
  readonly owner?: Owner;
}

interface Copy {
  session: McpSession;
  readAt: number;
  /** When the use was last written. */
  writtenAt: number;
}

export function createSessionHost({
  storage,
  limits,
  revocations,
  clock,
  pause,
  onEnd,
  onFailure,
}: SessionHostDependencies): SessionHost {
  const { store, bus } = storage;
  const copies = new BoundedMap<string, Copy>(CAPACITY);
  /** Sessions whose record is being read, without those whose record has changed since the read began. */
  const reading = new Set<string>();
  /** Milliseconds between two writes of the use of one session. */
  const pace = Math.min(store.pace, limits.idleTimeout * 250);

  const put = (session: McpSession, writtenAt = session.usedUntil): Copy => {
    const copy = { session, readAt: clock.now(), writtenAt };
    copies.set(session.id, copy);
    return copy;
  };
  const ended = (id: string): void => {
    reading.delete(id);
    copies.delete(id);
    onEnd(id);
  };
  const load = async (id: string): Promise<Copy | undefined> => {
    const known = copies.get(id);
    try {
      let upToDate = true;
      reading.add(id);
      const session = await store.get(id).finally(() => {
        upToDate = reading.delete(id);
      });
      if (!upToDate) return load(id);
      if (session) return put(session, Math.max(known?.writtenAt ?? 0, Math.min(session.usedUntil, clock.now())));
      ended(id);
      return undefined;
    } catch (error) {
      // While the store is unavailable, the copy stays in use.
      if (error instanceof StorageUnavailable && known) return known;
      throw error;
    }
  };
  const loadPatiently = async (id: string): Promise<Copy | undefined> => {
    for (const since = clock.now(); ; ) {
      try {
        return await load(id);
      } catch (error) {
        const mayRecover = error instanceof StorageUnavailable && !(error instanceof StorageFault);
        if (!mayRecover || clock.now() - since >= PATIENCE) throw error;
        await pause(PAUSE);
      }
    }
  };
  const write = async (copy: Copy, usedUntil: number): Promise<boolean> => {
    const before = copy.writtenAt;
    copy.writtenAt = clock.now();
    try {
      const { tokenExpiresAt, status } = copy.session;
      const goesOn = await store.use(copy.session, { usedUntil, tokenExpiresAt, ...(status && { status }) });
      if (!goesOn) ended(copy.session.id);
      return goesOn;
    } catch (error) {
      copy.writtenAt = before;
      if (error instanceof StorageUnavailable) return true;
      throw error;
    }
  };
  const use = (copy: Copy, principal: Principal): McpSession => {
    const [now, newer] = [clock.now(), principal.expiresAt > copy.session.tokenExpiresAt];
    if (newer) copy.session = withToken(copy.session, principal);
    if (newer || now - copy.writtenAt >= pace) write(copy, now).catch(onFailure);
    return copy.session;
  };
  /** A list is of no use after the token: its issuer drops it. */
  const learn = (session: McpSession): Promise<void> | undefined =>
    session.tokenExpiresAt * 1000 > clock.now()
      ? revocations.learn(referringOf(session), session.tokenExpiresAt)
      : undefined;
  /** Decides by the record: another replica may have seen a newer token. */
  const endIfRevoked = async (id: string): Promise<Ending> => {
    const copy = await load(id);
    if (!copy) return { isOver: true };
    const { session } = copy;
    await learn(session);
    if (!revocations.isRevoked(referringOf(session))) return { isOver: false };
    // Streams and calls end here even while the store is unavailable.
    ended(id);
    return (await end(id)) ? { isOver: true, owner: session.owner } : { isOver: true };
  };
  const end = async (id: string): Promise<boolean> => {
    const isFirst = await store.delete(id);
    ended(id);
    await tell(bus, 'ended', id);
    return isFirst;
  };
  const admit = (copy: Copy | undefined, principal: Principal): Found | Promise<Found> => {
    if (!copy) return 'unknown';
    const { session } = copy;
    if (!sameOwner(session.owner, principal)) return 'foreign';
    if (isOfToken(session, principal)) return use(copy, principal);
    // A new approval of the same person takes up no session of an approval that was ended.
    const learning = learn(session);
    if (learning) return learning.then(() => admit(copy, principal));
    if (!revocations.isRevoked(referringOf(session))) return use(copy, principal);
    return endIfRevoked(session.id).then(({ isOver }) =>
      isOver ? 'unknown' : admit(copies.get(session.id), principal),
    );
  };
  /** Keeps a stale copy: it serves requests while the store is unavailable. */
  const invalidate = (id?: string): void => {
    if (id === undefined) reading.clear();
    else reading.delete(id);
    const stale = id === undefined ? copies.values() : [copies.get(id)];
    for (const copy of stale) if (copy) copy.readAt = 0;
  };
  const recent = (id: string): Copy | undefined => {
    const copy = copies.get(id);
    return copy && clock.now() - copy.readAt < FRESH ? copy : undefined;
  };

  return {
    open: async (principal, transport, agreed) => {
      const now = clock.now();
      const session = withToken(
        {
          id: randomBytes(24).toString('base64url'),
          owner: ownerOf(principal),
          transport,
          ...(agreed && { agreed }),
          subscriptions: [],
          created: now,
          usedUntil: now,
        },
        principal,
      );
      const opened = await store.create(session);
      if (typeof opened === 'string') return opened;
      if (opened.evicted !== undefined) {
        ended(opened.evicted);
        await tell(bus, 'ended', opened.evicted);
      }
      return put(session).session;
    },
    find: (id, principal) => {
      const copy = recent(id);
      // Over HTTP+SSE the record changes once after it is created; a request that saw the old record would be refused.
      const settled = copy && (copy.session.agreed !== undefined || copy.session.transport === 'streamable-http');
      return settled ? admit(copy, principal) : loadPatiently(id).then((loaded) => admit(loaded, principal));
    },
    peek: async (id) => (recent(id) ?? (await load(id)))?.session,
    alter: async (id, alteration) => {
      const done = await store.alter(id, alteration);
      invalidate(id);
      if (done) await tell(bus, 'altered', id);
      return done;
    },
    keep: async (id) => {
      const copy = copies.get(id) ?? (await load(id));
      if (!copy || copy.session.usedUntil - clock.now() > AHEAD / 2) return copy !== undefined;
      return write(copy, clock.now() + AHEAD);
    },
    end,
    endIfRevoked: async (session) => {
      await learn(session);
      return revocations.isRevoked(referringOf(session)) && (await endIfRevoked(session.id)).isOver;
    },
    endRevoked: async () => {
      const revoked = [...copies.values()].filter(({ session }) => revocations.isRevoked(referringOf(session)));
      const owners: Owner[] = [];
      for (let first = 0; first < revoked.length; first += AT_ONCE) {
        const ending = revoked.slice(first, first + AT_ONCE).map(async ({ session }) => {
          const { owner } = await endIfRevoked(session.id);
          if (owner) owners.push(owner);
        });
        await Promise.all(ending.map((one) => one.catch(onFailure)));
      }
      return owners;
    },
    invalidate,
    forget: ended,
    inUse: (owner, transport) => store.inUse(owner, transport),
    count: () => store.count(),
  };
}

/** A replica that misses this message reads the record again within seconds. */
async function tell(bus: SessionStorage['bus'], kind: 'ended' | 'altered', session: string): Promise<void> {
  await bus.broadcast({ kind, session }).catch((error: unknown) => {
    if (!(error instanceof StorageUnavailable)) throw error;
  });
}
