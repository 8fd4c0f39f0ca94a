/** Owns the measured costs of mcp-server on Redis: of a call in each form, of a session, and of an open stream. */
import { setTimeout } from 'node:timers/promises';
import { callStateless, ECHO, initialize, meet } from '../mcp-parties.ts';
import { openSessions, openStreams } from '../sessions.ts';
import { type Fleet, startFleet } from './fleet.ts';
import type { Cost } from './meter.ts';
import { calls, once, PROGRESS, repeat, shared } from './work.ts';

/** Seconds of load, and of the load before it that warms up the compiler. */
const SECONDS = 2;
const WARM_UP = 1.5;

/** Number of sessions and tokens of which each is used once. */
const MANY = 4_000;

/** Milliseconds after which a replica reads the record of a session again, and writes that it was used. */
const LONGER_THAN_THE_PACE = 31_000;
/** Milliseconds in which an open stream gets its comment so many times. */
const KEEP_ALIVES = { count: 2, milliseconds: 30_000 } as const;

const minus = (whole: Cost, part: Cost): Cost => ({
  service: whole.service - part.service,
  redis: whole.redis - part.redis,
  commands: whole.commands - part.commands,
  bytes: whole.bytes,
});

type Costs = Record<string, Cost>;

export async function measureCalls(): Promise<Costs> {
  await using parties = await meet(MANY);
  const people = parties.referring.slice(0, 50);
  await using fleet = await startFleet({ issuer: parties.issuer });
  const [replica] = fleet.replicas;
  if (!replica) throw new Error('no replica');
  const sessions = await openSessions(replica.port, people);
  const loads = {
    call: calls(sessions),
    statelessCall: people.map((token) => callStateless(token, ECHO)),
    streamedCall: calls(sessions, PROGRESS),
    open: people.map((token) => () => initialize(token)),
  };
  const costs: Costs = {};
  for (const [name, requests] of Object.entries(loads)) {
    await repeat(replica, requests, WARM_UP)();
    costs[name] = await fleet.meter.measure(repeat(replica, requests, SECONDS));
  }
  const fresh = parties.referring.slice(50).map((token) => callStateless(token, ECHO));
  costs.firstUse = minus(await fleet.meter.measure(once(replica, fresh)), costs.statelessCall as Cost);
  return costs;
}

/** The commands that a client sends for a piece of work, each with its number. */
export async function countCommands(): Promise<Record<string, readonly string[]>> {
  await using parties = await meet(1);
  await using fleet = await startFleet({ issuer: parties.issuer });
  const [replica] = fleet.replicas;
  if (!replica) throw new Error('no replica');
  const [session] = await openSessions(replica.port, parties.referring);
  if (!session) throw new Error('no session');
  const sent = (request: () => string) => fleet.meter.sentDuring(once(replica, [request]));
  const [call, streamed] = [calls([session])[0], calls([session], PROGRESS)[0]];
  if (!call || !streamed) throw new Error('no call');
  return {
    call: await sent(call),
    streamedCall: await sent(streamed),
    open: await sent(() => initialize(session.token)),
  };
}

/** A session at a second replica, and again after a while, which costs the reading and the writing of its record. */
export async function measureRecords(): Promise<Costs> {
  await using parties = await meet();
  await using fleet = await startFleet({ issuer: parties.issuer, size: 2 });
  const [first, second] = fleet.replicas;
  if (!first || !second) throw new Error('no replicas');
  const sessions = await openSessions(first.port, shared(parties.referring, MANY));
  const requests = calls(sessions);
  await repeat(second, calls(sessions.slice(0, 50)), WARM_UP)();
  const read = await fleet.meter.measure(once(second, requests));
  const known = await fleet.meter.measure(once(second, requests));
  await setTimeout(LONGER_THAN_THE_PACE);
  const again = await fleet.meter.measure(once(second, requests));
  return { read: minus(read, known), use: minus(again, read) };
}

export interface Kept {
  /** KiB of a replica for each session, without and with an open stream. */
  readonly session: number;
  readonly stream: number;
  /** Bytes in Redis for each session, without and with an open stream. */
  readonly sessionBytes: number;
  readonly streamBytes: number;
  /** MiB of a replica without sessions. */
  readonly base: number;
}

async function measureStreams({ replicas, meter }: Fleet, tokens: readonly string[]) {
  const [replica] = replicas;
  if (!replica) throw new Error('no replica');
  const { port, program } = replica;
  const base = await program.memory();
  // Code is compiled, and the young generation has its full size.
  const early = await openStreams(port, await openSessions(port, shared(tokens, MANY / 2)));
  const before = await program.memory();
  let sessions: Awaited<ReturnType<typeof openSessions>> = [];
  const opened = await meter.measure(async () => {
    sessions = await openSessions(port, shared(tokens, MANY));
    return MANY;
  });
  const without = await program.memory();
  let streams: Awaited<ReturnType<typeof openStreams>> = [];
  const attached = await meter.measure(async () => {
    streams = await openStreams(port, sessions);
    return MANY;
  });
  const with_ = await program.memory();
  const keepAlive = await meter.measure(async () => {
    await setTimeout(KEEP_ALIVES.milliseconds);
    return KEEP_ALIVES.count * (MANY + early.length);
  });
  for (const stream of [...early, ...streams]) stream.leave();
  const kib = (after: NodeJS.MemoryUsage, since: NodeJS.MemoryUsage) => (after.rss - since.rss) / MANY / 1024;
  const kept: Kept = {
    session: kib(without, before),
    stream: kib(with_, without),
    sessionBytes: opened.bytes,
    streamBytes: attached.bytes,
    base: base.rss / 1024 ** 2,
  };
  return { costs: { attach: attached, keepAlive }, kept };
}

export async function measureSessions(): Promise<{ readonly costs: Costs; readonly kept: Kept }> {
  await using parties = await meet();
  await using fleet = await startFleet({ issuer: parties.issuer, probed: true });
  return await measureStreams(fleet, parties.referring);
}
