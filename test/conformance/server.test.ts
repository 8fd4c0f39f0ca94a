/**
 * Proves mcp-server with independent software: the official conformance runner's frozen requirement sets and its active
 * suite, through the bearer check, against one process and against three that share only Redis. No failure is expected.
 */
import { hasRedis, NEEDS_REDIS } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { judge, SUITES } from './runner.ts';
import { startTarget, type Target } from './target.ts';

describe.each([
  ['one process', 1],
  ['three replicas, the next one for every request', 3],
])('the official conformance runner against %s', (_name, replicas) => {
  let target: Target;
  const possible = replicas === 1 || hasRedis;
  beforeAll(async () => {
    if (possible) target = await startTarget(replicas);
  });
  afterAll(() => target?.[Symbol.asyncDispose]());
  beforeEach((context) => context.skip(!possible, NEEDS_REDIS));

  it.each(SUITES)('MCP $name: at least $atLeast checks pass, none of the scored ones fails', async (suite) => {
    const { passed, failed, code, remarks } = await judge(target.url, suite);
    const found = `${passed} passed, ${failed} failed\n${remarks.join('\n')}`;
    expect(code, found).toBe(0);
    expect(passed, found).toBeGreaterThanOrEqual(suite.atLeast);
    if (!suite.mayFail) expect(failed, found).toBe(0);
  });
});
