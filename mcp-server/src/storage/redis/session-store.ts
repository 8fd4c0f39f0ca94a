/**
 * Owns the records of sessions on Redis, for any number of replicas: a hash for each, and sorted sets that count
 * them for each person and for all.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '@mcp-oauth/shared/clock';
import { type Owner, personOf, sameOwner } from '../../authorization/principal.ts';
import { type Alteration, type InUse, MAX_SUBSCRIPTIONS, type SessionStore } from '../../sessions/ports.ts';
import { type Agreement, endOf, type McpSession, type SessionLimits } from '../../sessions/session.ts';
import type { Ledger } from './ledger.ts';
import { PREFIX, type SessionRedis, sessionKey } from './scripts.ts';

/** The sorted set of all sessions; the score is until when a session is in use. */
const ALL = `${PREFIX}sessions`;

/** Milliseconds by which a session may appear idle for longer than it is. */
const PACE = 30_000;

/** Number of records that are read at once for a list. */
const PAGE = 100;

/** The fields of a record without its subscriptions, which may be long. */
const BRIEF = ['owner', 'transport', 'agreed', 'created', 'used', 'token'] as const;

const personKey = (person: Pick<Owner, 'issuer' | 'subject'>): string =>
  `${PREFIX}person:${createHash('sha256').update(personOf(person)).digest('base64url')}`;

export function createRedisSessionStore(
  redis: SessionRedis,
  limits: SessionLimits,
  clock: Clock,
  ledger: Ledger,
): SessionStore {
  const [idle, lifetime] = [limits.idleTimeout * 1000, limits.lifetime * 1000];
  const enter = (index: string, most: number, id: string, evicts: boolean): Promise<string | null> => {
    const now = clock.now();
    return redis.mcpEnter(index, now, now - idle, most, id, idle + lifetime, evicts ? '1' : '0');
  };
  const goesOn = (session: McpSession | undefined): McpSession | undefined =>
    session && endOf(session, limits) > clock.now() ? session : undefined;
  const get = async (id: string): Promise<McpSession | undefined> =>
    goesOn(toSession(id, await redis.hgetall(sessionKey(id))));
  const getBrief = async (id: string): Promise<McpSession | undefined> => {
    const values = await redis.hmget(sessionKey(id), ...BRIEF);
    return goesOn(toSession(id, Object.fromEntries(BRIEF.map((name, index) => [name, values[index] ?? undefined]))));
  };
  /** @param owner absent: the session has expired */
  const remove = async (id: string, owner: Owner | undefined): Promise<boolean> => {
    const [removed] = await Promise.all([
      redis.unlink(sessionKey(id)),
      redis.zrem(ALL, id),
      redis.mcpForget(sessionKey(id)),
      ...(owner ? [redis.zrem(personKey(owner), id), ledger.tell(id, owner, 0)] : []),
    ]);
    return removed > 0;
  };

  return {
    pace: PACE,
    create: async (session) => {
      const evicted = await enter(personKey(session.owner), limits.maxSessionsPerPrincipal, session.id, true);
      if (evicted === null) return 'principal';
      if (evicted) await remove(evicted, session.owner);
      if ((await enter(ALL, limits.maxSessions, session.id, false)) === null) {
        await redis.zrem(personKey(session.owner), session.id);
        return 'server';
      }
      const key = sessionKey(session.id);
      await Promise.all([redis.hset(key, toFields(session)), redis.pexpireat(key, endOf(session, limits))]);
      return evicted ? { evicted } : {};
    },
    get,
    use: async (session, { usedUntil, tokenExpiresAt, status }) => {
      const { id } = session;
      const [used] = await Promise.all([
        redis.mcpUse(sessionKey(id), usedUntil, tokenExpiresAt, idle, lifetime, status ? JSON.stringify(status) : ''),
        // Only moves an existing entry, and only forward: a late use must not restore a session that has ended.
        redis.zadd(ALL, 'XX', 'GT', usedUntil, id),
        redis.zadd(personKey(session.owner), 'XX', 'GT', usedUntil, id),
      ]);
      return used === 1;
    },
    alter: async (id, alteration) =>
      (await redis.mcpAlter(sessionKey(id), MAX_SUBSCRIPTIONS, ...toAltered(alteration))) === 1,
    delete: async (id) => remove(id, (await get(id))?.owner),
    inUse: async (owner, transport) => {
      // At most MAX_SESSIONS_PER_PRINCIPAL entries.
      const ids = await redis.zrangebyscore(personKey(owner), `(${clock.now()}`, '+inf');
      const theirs: InUse[] = [];
      for (let first = 0; first < ids.length; first += PAGE) {
        const sessions = await Promise.all(ids.slice(first, first + PAGE).map(getBrief));
        const isTheirs = (one: McpSession) => one.transport === transport && sameOwner(one.owner, owner);
        theirs.push(...sessions.filter((one) => one !== undefined).filter(isTheirs));
      }
      return theirs;
    },
    count: () => redis.zcount(ALL, `(${clock.now() - idle}`, '+inf'),
    list: async function* () {
      const seen = new Set<string>();
      let cursor = '0';
      do {
        // Reading by rank would miss some: every use of a session changes its rank, and those of others.
        const [next, entries] = await redis.zscan(ALL, cursor, 'COUNT', PAGE);
        const ids = entries.filter((id, index) => index % 2 === 0 && !seen.has(id));
        for (const id of ids) seen.add(id);
        for (const session of await Promise.all(ids.map(get))) if (session) yield session;
        cursor = next;
      } while (cursor !== '0');
    },
  };
}

function toFields(session: McpSession): Record<string, string> {
  const { owner, transport, agreed, created, usedUntil, tokenExpiresAt, status } = session;
  return {
    owner: JSON.stringify(owner),
    transport,
    created: String(created),
    used: String(usedUntil),
    token: String(tokenExpiresAt),
    ...(agreed && { agreed: JSON.stringify(agreed) }),
    ...(status && { status: JSON.stringify(status) }),
  };
}

function toSession(id: string, fields: Record<string, string | undefined>): McpSession | undefined {
  const { owner, transport, agreed, logLevel, created, used, token, status } = fields;
  if (!owner || !transport) return undefined;
  return {
    id,
    owner: JSON.parse(owner),
    transport: transport as McpSession['transport'],
    ...(agreed && { agreed: JSON.parse(agreed) as Agreement }),
    ...(logLevel && { logLevel }),
    subscriptions: Object.keys(fields).flatMap((name) => (name.startsWith('sub:') ? [name.slice(4)] : [])),
    created: Number(created),
    usedUntil: Number(used),
    tokenExpiresAt: Number(token),
    ...(status && { status: JSON.parse(status) }),
  };
}

/** Fields and values of a record; a use never removes a field. */
const toAltered = ({ agreed, logLevel, subscribe, unsubscribe }: Alteration): string[] => [
  ...(agreed ? ['agreed', JSON.stringify(agreed)] : []),
  ...(logLevel ? ['logLevel', logLevel] : []),
  ...(subscribe === undefined ? [] : [`sub:${subscribe}`, '1']),
  ...(unsubscribe === undefined ? [] : [`sub:${unsubscribe}`, '']),
];
