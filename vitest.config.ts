import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/**
 * These limits are nets for what hangs, several times what the slowest takes on a busy machine: that something is slow proves nothing.
 * What polls gives up before its test does.
 */
const PATIENT = { poll: { timeout: 30_000 } } as const;

/** Test files at once. By default one core stays free, which on two cores means one file, and most of them wait for others. */
const PARALLEL = { maxWorkers: Math.max(2, availableParallelism() - 1) } as const;

export default defineConfig({
  test: {
    reporters: ['default', './test/left-out.ts'],
    projects: [
      {
        test: {
          name: 'services',
          include: [
            '{shared,auth-server,mcp-server,development-idp,client,scripts}/test/**/*.test.ts',
            'test/*.test.ts',
          ],
          ...PARALLEL,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: PATIENT,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          ...PARALLEL,
          testTimeout: 240_000,
          hookTimeout: 240_000,
          expect: PATIENT,
        },
      },
      {
        test: {
          name: 'races',
          include: ['test/races/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 240_000,
          expect: PATIENT,
        },
      },
      {
        test: {
          name: 'failover',
          include: ['test/failover/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
          expect: PATIENT,
        },
      },
      {
        test: {
          name: 'conformance',
          include: ['test/conformance/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          expect: PATIENT,
        },
      },
      {
        test: {
          name: 'compose',
          include: ['test/compose/**/*.test.ts'],
          globalSetup: ['test/compose/engine.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'abuse',
          include: ['test/abuse/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          expect: PATIENT,
        },
      },
      {
        test: {
          name: 'fuzz',
          include: ['test/fuzz/**/*.test.ts'],
          ...PARALLEL,
          // A million inputs take fifty times as long as the usual ones.
          testTimeout: 600_000 * Math.max(1, Number(process.env.FUZZ_COUNT ?? 0) / 20_000),
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          name: 'soak',
          include: ['test/soak/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 240_000,
          expect: PATIENT,
        },
      },
    ],
  },
});
