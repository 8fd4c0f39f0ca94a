/**
 * Owns the load during a failure: every client calls, changes are announced, and afterwards no result or event may be
 * missing or duplicated.
 */
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Member, Outcome } from '../support/crowd.ts';

/** Steps of a call, each with a progress notification. */
const STEPS = 3;
/** The fewest calls of each client, however slow the machine is. */
const ROUNDS = 4;

export interface Report {
  readonly outcomes: readonly Outcome[];
  /** Changes whose announcement was answered. */
  readonly announced: readonly string[];
  /** Calls that ran on the replica that was killed. */
  readonly doomed: readonly string[];
}

export interface Load {
  readonly crowd: readonly Member[];
  /** URIs of the announced changes, to which every client has subscribed. */
  readonly uris: readonly string[];
  /** Milliseconds between two changes. */
  readonly pause?: number;
}

let rounds = 0;

/**
 * Keeps all clients busy while `disturb` runs, and a while longer.
 * @param disturb resolves with the labels of the calls that cannot be completed
 */
export async function underLoad(
  { crowd, uris, pause = 250 }: Load,
  disturb: () => Promise<readonly string[]>,
): Promise<Report> {
  const outcomes: Outcome[] = [];
  const announced: string[] = [];
  let working = true;
  rounds += 1;
  const round = rounds;
  const work = async (member: Member, index: number): Promise<void> => {
    await setTimeout(index * 5);
    for (let n = 0; working || n < ROUNDS; n += 1) {
      outcomes.push(await member.call(`${member.name}-${round}-${n}`, STEPS, 40));
      await setTimeout(600);
    }
  };
  const announce = async (): Promise<void> => {
    for (const [index, uri] of uris.entries()) {
      const said = await crowd[(index * 7) % crowd.length]?.announce(uri).then(
        () => true,
        () => false,
      );
      if (said) announced.push(uri);
      await setTimeout(pause);
    }
  };
  const everybody = Promise.all(crowd.map(work));
  const announcing = announce();
  await setTimeout(1_500);
  const doomed = await disturb();
  await announcing;
  working = false;
  await everybody;
  return { outcomes, announced, doomed };
}

/** @param twice how many of all events may have been received twice */
export async function expectNothingLost({ crowd, uris }: Load, report: Report, twice = 0): Promise<void> {
  const { outcomes, announced, doomed } = report;
  const failed = outcomes.filter(({ error }) => error !== undefined);
  expect(failed.filter(({ label }) => !doomed.includes(label))).toEqual([]);
  for (const { error } of failed) expect(error).toMatch(/send the request again|fetch failed|terminated|closed/);
  const all = Array.from({ length: STEPS }, (_, index) => index + 1);
  const odd = outcomes.filter(({ error, steps }) => error === undefined && String(once(steps)) !== String(all));
  expect(odd).toEqual([]);
  expect(announced.length).toBeGreaterThan(uris.length / 2);
  const complete = () => crowd.filter(({ heard }) => announced.every((uri) => heard.includes(uri))).length;
  await expect.poll(complete, { timeout: 30_000, interval: 250 }).toBe(crowd.length);
  const doubled = [...crowd.map(({ heard }) => heard), ...outcomes.map(({ steps }) => steps)]
    .map((told) => told.length - new Set<unknown>(told).size)
    .filter((extra) => extra > 0);
  expect(doubled.filter((extra) => extra > twice)).toEqual([]);
  process.stdout.write(
    `${outcomes.length} calls, ${failed.length} failed (${doomed.length} were in flight on a killed replica); ${announced.length} events × ${crowd.length} sessions, none lost, ${doubled.length || 'none'} doubled\n`,
  );
}

const once = (steps: readonly number[]): readonly number[] => [...new Set(steps)];
