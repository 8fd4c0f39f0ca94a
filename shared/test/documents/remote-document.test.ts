/**
 * Proves what is reported about a server that is unavailable: the log gets the beginning, each new reason and the end;
 * the metric gets every failure.
 */
import { createRemoteDocument } from '@mcp-oauth/shared/documents/remote-document';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { expect, it } from 'vitest';

it('a long outage of a server is reported once, and its recovery once', async () => {
  const clock = new FakeClock();
  const heard: string[] = [];
  let failures = 0;
  let failure: string | undefined = 'refused';
  const document = createRemoteDocument({
    load: async () => {
      if (failure) throw new Error(failure);
      return 'copy';
    },
    clock,
    onFailure: (error, isNews) => {
      failures += 1;
      if (isNews) heard.push((error as Error).message);
    },
    onRecovery: () => heard.push('back'),
  });
  const ask = async (reason?: string) => {
    failure = reason;
    clock.advance(60);
    return document.renew().catch(() => undefined);
  };
  for (const reason of ['refused', 'refused', 'refused', 'of another issuer', 'of another issuer']) await ask(reason);
  expect(heard).toEqual(['refused', 'of another issuer']);
  expect(failures).toBe(5);
  expect(await ask()).toBe('copy');
  await ask();
  expect(await ask('refused'), 'the copy is kept').toBe('copy');
  await ask();
  expect(heard).toEqual(['refused', 'of another issuer', 'back', 'refused', 'back']);
});

it('a cached copy expires after a week without an answer', async () => {
  const clock = new FakeClock();
  let isAway = false;
  let asked = 0;
  const document = createRemoteDocument({
    load: async () => {
      asked += 1;
      if (isAway) throw new Error('away');
      return asked;
    },
    clock,
    onFailure: () => {},
  });
  expect(await document.get()).toBe(1);
  isAway = true;
  clock.advance(7 * 86_400 - 1);
  expect(await document.get()).toBe(1);
  clock.advance(1);
  await expect(document.get()).rejects.toThrow('there is no copy');
  expect(document.loadedAt()).toBeUndefined();
  isAway = false;
  clock.advance(1);
  expect(await document.get()).toBe(asked);
});

it('a clock that is set back delays no attempt, and takes no copy away', async () => {
  const clock = new FakeClock();
  let isAway = true;
  const document = createRemoteDocument({
    load: async () => {
      if (isAway) throw new Error('away');
      return 'copy';
    },
    clock,
    onFailure: () => {},
  });
  await expect(document.get()).rejects.toThrow('there is no copy');
  clock.advance(-86_400);
  isAway = false;
  expect(await document.get()).toBe('copy');
  clock.advance(-86_400);
  isAway = true;
  expect(await document.renew()).toBe('copy');
  expect(document.loadedAt()).toBeDefined();
});
