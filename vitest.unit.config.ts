/** Owns `npm run test:unit`: the tests that need no Redis, no browser and no other process, for the loop of edit and run. */
import { defineConfig } from 'vitest/config';
import { unitTests } from './test/support/unit-tests.ts';

export default defineConfig({
  test: {
    name: 'unit',
    reporters: ['default', './test/left-out.ts'],
    include: unitTests(),
    testTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
