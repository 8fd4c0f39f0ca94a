/**
 * Proves that no order of events breaks a session: the real code of several replicas, in which fast-check schedules
 * every asynchronous step, and calls, connections, replicas and the store fail at any moment. A counterexample is
 * printed with its seed and path, shrunk to the commands that matter.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFECTS } from './schedules/defects.ts';
import { programs, WEATHERS } from './schedules/moves.ts';
import { run } from './schedules/run.ts';

const RUNS = 2_000;

/** The rarest mutation shows up in about one of three thousand runs. */
const MOST_RUNS = 60_000;

describe('MCP 2025-11-25 "Session Management" and "Resumability and Redelivery" under any schedule', () => {
  for (const weather of WEATHERS) {
    it(`the guarantees hold under ${weather} conditions`, { timeout: 600_000 }, async () => {
      const property = fc.asyncProperty(programs(weather), async (program) => {
        expect(await run(program)).toEqual([]);
      });
      await fc.assert(property, { numRuns: RUNS });
    });
  }
});

describe('defects in the model of sessions', () => {
  for (const [name, { weather, ...defect }] of Object.entries(DEFECTS)) {
    it(`the test finds the defect: ${name}`, { timeout: 600_000 }, async () => {
      const any = weather ? programs(weather) : fc.oneof(...WEATHERS.map(programs));
      const property = fc.asyncProperty(any, async (program) => (await run(program, defect)).length === 0);
      const { failed } = await fc.check(property, { numRuns: MOST_RUNS, endOnFailure: true });
      expect(failed).toBe(true);
    });
  }
});
