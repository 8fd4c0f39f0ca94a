/**
 * Owns the sessions that live in this process: opening within limits, finding for their owner only, ending when asked or
 * idle (MCP 2025-11-25, "Session Management"). It answers with promises, as a shared store is one day asked too.
 */

import { randomBytes } from 'node:crypto';
import type { Clock } from '@mcp-oauth/shared/clock';
import { type Principal, sameOwner } from '../authorization/principal.ts';
import { hasOutlivedToken, isIdle, type McpSession, ownerOf, seen } from './session.ts';

/** What a session drives: the open connections and running calls behind it, whatever they are made of. */
export interface Conversation {
  readonly kind: McpSession['transport'];
  /** Something is open or running; such a session is not idle. */
  readonly busy: boolean;
  /** Time has passed: keeps what is open alive. */
  tick(): void;
  /** Ends what streams; calls go on. */
  endStreams(): void;
  /** Ends what streams and waits for nothing. */
  drain(): void;
  close(): Promise<void>;
}

export interface LiveSession<C extends Conversation> {
  session: McpSession;
  readonly conversation: C;
}

export interface SessionLimits {
  /** Seconds without a request, a running call or an open stream after which a session ends. */
  readonly idleTimeout: number;
  readonly maxSessions: number;
  /** For one person, whatever clients they use: registration is free, so clients prove nothing. */
  readonly maxSessionsPerPrincipal: number;
}

/** Why no session can be opened: this person has too many that are in use, or everybody together has. */
type Full = 'principal' | 'server';

export interface SessionHost<C extends Conversation> {
  readonly size: number;
  all(): Iterable<LiveSession<C>>;
  /** At its limit, a person loses the session that has been idle longest; if none is idle, or the server is full, gets none. */
  open(
    principal: Principal,
    conversation: C,
    initialize?: Pick<McpSession, 'protocolVersion' | 'initialize'>,
  ): Promise<LiveSession<C> | Full>;
  /** Counts as activity of the session. */
  find(id: string, principal: Principal): Promise<LiveSession<C> | 'unknown' | 'foreign'>;
  end(id: string): Promise<void>;
  /** To be called at a steady pace: ends the idle, and the streams whose owner shows no fresh token. */
  tick(): void;
  drain(): void;
  close(): Promise<void>;
}

export function createSessionHost<C extends Conversation>(limits: SessionLimits, clock: Clock): SessionHost<C> {
  const sessions = new Map<string, LiveSession<C>>();
  const people = new Map<string, Set<LiveSession<C>>>();

  const end = async (id: string): Promise<void> => {
    const live = sessions.get(id);
    if (!live) return;
    sessions.delete(id);
    const person = personOf(live.session.owner);
    const theirs = people.get(person);
    theirs?.delete(live);
    if (theirs?.size === 0) people.delete(person);
    await live.conversation.close();
  };

  // Without a pause between the check and the entry, or two at once would both pass.
  const makeRoom = (person: string): Full | undefined => {
    const theirs = people.get(person);
    if (theirs && theirs.size >= limits.maxSessionsPerPrincipal) {
      const oldest = idlest(theirs);
      if (!oldest) return 'principal';
      void end(oldest.session.id);
    }
    return sessions.size >= limits.maxSessions ? 'server' : undefined;
  };

  return {
    get size() {
      return sessions.size;
    },
    all: () => sessions.values(),
    open: async (principal, conversation, initialize = {}) => {
      const person = personOf(principal);
      const full = makeRoom(person);
      if (full) return full;
      const live = { session: create(principal, conversation.kind, clock.now(), initialize), conversation };
      sessions.set(live.session.id, live);
      people.set(person, (people.get(person) ?? new Set()).add(live));
      return live;
    },
    find: async (id, principal) => {
      const live = sessions.get(id);
      if (!live) return 'unknown';
      if (!sameOwner(live.session.owner, principal)) return 'foreign';
      live.session = seen(live.session, clock.now(), principal.expiresAt);
      return live;
    },
    end,
    tick: () => {
      const now = clock.now();
      for (const live of sessions.values()) {
        if (tickOne(live, now, limits.idleTimeout) === 'idle') void end(live.session.id);
      }
    },
    drain: () => {
      for (const { conversation } of sessions.values()) conversation.drain();
    },
    close: async () => {
      await Promise.all([...sessions.keys()].map(end));
    },
  };
}

function create(
  principal: Principal,
  transport: McpSession['transport'],
  now: number,
  initialize: Pick<McpSession, 'protocolVersion' | 'initialize'>,
): McpSession {
  const id = randomBytes(24).toString('base64url');
  const owner = ownerOf(principal);
  return { id, owner, transport, ...initialize, created: now, lastSeen: now, tokenExpiresAt: principal.expiresAt };
}

function tickOne<C extends Conversation>(live: LiveSession<C>, now: number, idleTimeout: number): 'idle' | 'alive' {
  const { conversation, session } = live;
  if (!conversation.busy) return isIdle(session, now, idleTimeout) ? 'idle' : 'alive';
  live.session = { ...session, lastSeen: now };
  if (hasOutlivedToken(session, now)) conversation.endStreams();
  else conversation.tick();
  return 'alive';
}

function idlest<C extends Conversation>(theirs: Iterable<LiveSession<C>>): LiveSession<C> | undefined {
  const idle = [...theirs].filter(({ conversation }) => !conversation.busy);
  return idle.sort((a, b) => a.session.lastSeen - b.session.lastSeen)[0];
}

const personOf = ({ issuer, subject }: Pick<Principal, 'issuer' | 'subject'>): string =>
  JSON.stringify([issuer, subject]);
