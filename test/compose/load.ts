/**
 * Owns the load behind the gateway during a failure: sessions of all kinds call and listen, clients refresh their
 * tokens, and every effect that they notice is counted.
 */
import { setTimeout } from 'node:timers/promises';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { expect } from 'vitest';
import { gather, type Host, type Member } from '../support/crowd.ts';
import { Households } from './households.ts';

interface Failure {
  readonly error: string;
  /** Milliseconds since the load began. */
  readonly began: number;
  readonly ended: number;
}

export interface Report {
  readonly calls: number;
  readonly failures: readonly Failure[];
  /** Milliseconds that the slowest call took. */
  readonly longest: number;
  readonly refreshes: number;
  readonly retried: readonly string[];
  readonly signedOut: readonly string[];
  readonly sessions: number;
  /** Announcements that every session had to receive once. */
  readonly announced: number;
  readonly lost: number;
  /** The sessions that did not receive all announcements, and how many each missed. */
  readonly missed: readonly string[];
  /** Announcements received twice by clients that send `Last-Event-ID`. */
  readonly doubled: number;
  /**
   * Announcements received twice over HTTP+SSE, where the SDK sends no `Last-Event-ID`: events without a known delivery
   * are sent again.
   */
  readonly again: number;
}

export interface Sizes {
  /** A third each of SDK v1 and v2 over Streamable HTTP, and of SDK v1 over HTTP+SSE. */
  readonly sessions: number;
  /** Clients of MCP 2026-07-28 in addition. */
  readonly stateless: number;
  readonly announcements: number;
}

type Caller = Pick<Member, 'name' | 'call' | 'close'>;

const STEPS = 2;

/** Milliseconds that a call may take: longer than any outage of this test. */
const PATIENCE = 30_000;

/** Milliseconds before and after the disturbance. */
const QUIET = 1_000;

/** More calls and announcements than this belong to a scenario, as its test asks for. */
const ENOUGH = { calls: 50, announced: 2 };

let scenarios = 0;

/** Disturbs a compose project while clients are at work. */
export async function underLoad(
  { url, people, sizes }: { readonly url: string; readonly people: Households; readonly sizes: Sizes },
  disturb: () => Promise<unknown>,
): Promise<Report> {
  scenarios += 1;
  const uris = Array.from({ length: sizes.announcements }, (_, index) => `test://compose/${scenarios}/${index}`);
  // An HTTP+SSE client resumes only as the single owner of a lost stream: no session of the last scenario may be left.
  const alone = await Households.move(url, sizes.sessions / 3);
  const token = async (name: string) => {
    const [kind, number] = name.split('-');
    return (kind === 'sse' ? alone : people).token(Math.floor(Number(number) / 3));
  };
  const host = { url: new URL(`${url}/mcp`), token };
  const crowd = await gather(host, sizes.sessions, uris, ['v1', 'v2', 'sse']);
  const strangers = await Promise.all(Array.from({ length: sizes.stateless }, () => withoutSession(host)));
  const before = { refreshes: people.refreshes, retried: people.retried.length, signedOut: people.signedOut.length };
  const beginning = performance.now();
  const now = () => Math.round(performance.now() - beginning);
  const state = { working: true, calls: 0, longest: 0, failures: [] as Failure[], announced: [] as string[] };
  const work = async (caller: Caller, index: number): Promise<void> => {
    for (let n = 0; state.working; n += 1) {
      const began = now();
      const { error } = await caller.call(`${caller.name}-${n}`, index % 2 === 0 ? STEPS : 0, 20);
      const ended = now();
      state.calls += 1;
      state.longest = Math.max(state.longest, ended - began);
      if (error !== undefined) state.failures.push({ error, began, ended });
      await setTimeout(250);
    }
  };
  let next = 0;
  const announce = async (): Promise<void> => {
    while (state.working && next < uris.length) {
      const uri = uris[next] ?? '';
      const said = await crowd[next % crowd.length]?.announce(uri).then(
        () => true,
        () => false,
      );
      next += 1;
      if (said) state.announced.push(uri);
      await setTimeout(400);
    }
  };
  people.start();
  const everybody = Promise.all([...[...crowd, ...strangers].map(work), announce()]);
  await setTimeout(QUIET);
  await disturb();
  await setTimeout(QUIET);
  // On a slow machine a short disturbance leaves too few calls to judge by.
  await expect
    .poll(() => state.calls > ENOUGH.calls && state.announced.length > ENOUGH.announced, { timeout: 30_000 })
    .toBe(true)
    .catch(() => undefined);
  state.working = false;
  await everybody;
  await people.stop();
  const heard = await settled(crowd, state.announced);
  await Promise.all([...crowd, ...strangers].map((caller) => caller.close()));
  const { calls, failures, longest } = state;
  return {
    calls,
    failures,
    longest,
    refreshes: people.refreshes - before.refreshes,
    retried: people.retried.slice(before.retried),
    signedOut: people.signedOut.slice(before.signedOut),
    sessions: crowd.length,
    announced: state.announced.length,
    ...heard,
  };
}

/** A client of a revision without sessions: each of its requests is independent. */
async function withoutSession({ url, token }: Host): Promise<Caller> {
  const client = new Client({ name: 'stateless', version: '0' }, { versionNegotiation: { mode: 'auto' } });
  const authorization = `Bearer ${await token('stateless-0')}`;
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers: { authorization } } }));
  return {
    name: 'stateless',
    call: (label, steps, pause) =>
      client.callTool({ name: 'slow', arguments: { label, steps, pause } }, { timeout: PATIENCE }).then(
        () => ({ label, steps: [] }),
        ({ message, cause }: Error) => ({ label, steps: [], error: cause ? `${message}: ${cause}` : message }),
      ),
    close: () => client.close(),
  };
}

/** What the sessions have received once no more events come. */
async function settled(crowd: readonly Member[], announced: readonly string[]) {
  const missing = () =>
    crowd.reduce((sum, { heard }) => sum + announced.filter((uri) => !heard.includes(uri)).length, 0);
  await expect
    .poll(missing, { timeout: 20_000, interval: 250 })
    .toBe(0)
    .catch(() => undefined);
  const twice = (members: readonly Member[]) =>
    members.reduce((sum, { heard }) => sum + heard.length - new Set(heard).size, 0);
  const overSse = ({ name }: Member) => name.startsWith('sse-');
  const doubled = twice(crowd.filter((member) => !overSse(member)));
  const missed = crowd.flatMap(({ name, heard }) => {
    const count = announced.filter((uri) => !heard.includes(uri)).length;
    return count > 0 ? [`${name} missed ${count} of ${announced.length} events`] : [];
  });
  return { lost: missing(), missed, doubled, again: twice(crowd.filter(overSse)) };
}

/** One line of output. */
export function print(what: string, report: Report): void {
  const { calls, failures, longest, refreshes, retried, signedOut, sessions, announced } = report;
  const { lost, missed, doubled, again } = report;
  process.stdout.write(
    `${what.padEnd(34)} ${calls} calls, ${failures.length} failed, longest ${(longest / 1000).toFixed(1)} s; ` +
      `${refreshes} refreshes, ${retried.length} tried again, ${signedOut.length} signed out; ` +
      `${announced} events × ${sessions} sessions, ${lost} lost, ${doubled} doubled${again ? `, ${again} sent again over HTTP+SSE` : ''}\n`,
  );
  for (const { error, began, ended } of failures.slice(0, 5)) process.stdout.write(`    ${began}-${ended}: ${error}\n`);
  const noticed = [retried, signedOut, missed].flatMap((list) => list.slice(0, 5));
  for (const said of noticed) process.stdout.write(`    ${said}\n`);
}
