/** Proves that a link to connect an account is used once, ends, and cannot be read from the store. */
import { randomBytes } from 'node:crypto';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createLinks, LINK_LIFETIME } from '../../src/connecting/links.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';

const PURPOSE = { accountId: 'alice', clientId: 'notes', connector: 'github', scopes: ['read:user', 'repo'] };

const setUp = () => {
  const clock = new FakeClock();
  const store = createSqliteStore(':memory:', clock);
  return { clock, store, links: createLinks({ issuer: 'https://as.example/auth', store, random: randomBytes }) };
};

const handleIn = (uri: string): string => new URL(uri).pathname.split('/').at(-1) ?? '';

describe('a link to connect an account', () => {
  it('a link has a random handle of 32 bytes below the issuer, and names nobody (MCP elicitation, safe URL handling)', async () => {
    const { links } = setUp();
    const made = [await links.create(PURPOSE), await links.create(PURPOSE)];
    expect(new Set(made.map(({ uri }) => uri)).size).toBe(2);
    for (const { uri, expiresIn } of made) {
      expect(uri).toMatch(/^https:\/\/as\.example\/auth\/connect\/[\w-]{43}$/);
      expect(expiresIn).toBe(600);
    }
  });

  it('a link says for whom and what it is, however often it is read', async () => {
    const { links } = setUp();
    const handle = handleIn((await links.create(PURPOSE)).uri);
    expect([await links.find(handle), await links.find(handle)]).toEqual([PURPOSE, PURPOSE]);
  });

  it('a link is taken by exactly one of many concurrent callers', async () => {
    const { links } = setUp();
    const handle = handleIn((await links.create(PURPOSE)).uri);
    const taken = await Promise.all(Array.from({ length: 20 }, () => links.take(handle)));
    expect(taken.filter(Boolean)).toEqual([PURPOSE]);
    expect(await links.find(handle)).toBeUndefined();
  });

  it('a link ends after ten minutes', async () => {
    const { links, clock } = setUp();
    const handle = handleIn((await links.create(PURPOSE)).uri);
    clock.advance(LINK_LIFETIME + 1);
    expect([await links.find(handle), await links.take(handle)]).toEqual([undefined, undefined]);
  });

  it('a link is stored under a hash: the handle itself is not in the store', async () => {
    const { links, store } = setUp();
    const handle = handleIn((await links.create(PURPOSE)).uri);
    expect(await store.get('ConnectLink', handle)).toBeUndefined();
    expect(JSON.stringify(await links.find(handle))).not.toContain(handle);
  });
});
