/**
 * Proves that lists are complete and in one order, even when they change between two pages (MCP
 * server/utilities/pagination).
 */
import { describe, expect, it } from 'vitest';
import { createListing, type Entry } from '../../../src/protocol/catalog/listing.ts';

const entry = (key: string, ...scopes: string[]): Entry => ({ key, scopes, listed: { name: key } });
const many = (count: number) => Array.from({ length: count }, (_, n) => entry(`tool_${String(n).padStart(4, '0')}`));

interface Page {
  readonly tools: readonly { readonly name: string }[];
  readonly nextCursor?: string;
}

function walk(page: (cursor: unknown) => object): string[] {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const { tools, nextCursor } = page(cursor) as Page;
    names.push(...tools.map(({ name }) => name));
    cursor = nextCursor;
  } while (cursor !== undefined);
  return names;
}

describe('MCP 2025-11-25 server/utilities/pagination', () => {
  it.each([0, 1, 100, 101, 200, 205])('the pages list each of %d entries once and in order', (count) => {
    const entries = many(count);
    const listing = createListing('tools', entries.toReversed());
    expect(walk(listing.page)).toEqual(entries.map(({ key }) => key));
  });

  it('the same page request gets the very same object', () => {
    const { page } = createListing('tools', many(150));
    const { nextCursor } = page(undefined) as Page;
    expect(page(undefined)).toBe(page(undefined));
    expect(page(nextCursor)).toBe(page(nextCursor));
  });

  it('a cursor stays valid after a restart with other tools', () => {
    const { nextCursor } = createListing('tools', many(150)).page(undefined) as Page;
    const fewer = createListing('tools', [entry('tool_0098'), entry('tool_0100'), entry('tool_0099b')]);
    expect(walk((cursor) => fewer.page(cursor ?? nextCursor))).toEqual(['tool_0099b', 'tool_0100']);
    expect(createListing('tools', []).page(nextCursor)).toEqual({ tools: [] });
  });

  it.each([
    '',
    'x',
    null,
    3,
    {},
    Buffer.from('tools:').toString('base64url'),
    Buffer.from('prompts:a').toString('base64url'),
    Buffer.from('tools:a').toString('base64url').concat('='),
    Buffer.concat([Buffer.from('tools:'), Buffer.from([0xff])]).toString('base64url'),
  ])('the invalid cursor %j is -32602', (cursor) => {
    expect(() => createListing('tools', many(3)).page(cursor)).toThrow(
      expect.objectContaining({ code: -32602, message: 'Invalid cursor' }),
    );
  });
});

describe('a list that hides what the caller may not use', () => {
  const listing = createListing('tools', [
    ...many(120),
    entry('a', 'admin'),
    entry('b', 'admin', 'write'),
    entry('c', 'write'),
  ]);
  const permits =
    (...held: string[]) =>
    (scopes: readonly string[]) =>
      scopes.every((scope) => held.includes(scope));
  const only = (...held: string[]) => walk((cursor) => listing.page(cursor, permits(...held)));

  it.each([
    [[], []],
    [['admin'], ['a']],
    [['write'], ['c']],
    [
      ['admin', 'write'],
      ['a', 'b', 'c'],
    ],
  ])('a caller with %j also sees %j', (held, names) => {
    expect(only(...held)).toEqual([...names, ...many(120).map(({ key }) => key)]);
  });

  it('callers with the same permissions share one list, and those who may use everything get the whole list', () => {
    expect(listing.page(undefined, permits('admin'))).toBe(listing.page(undefined, permits('admin', 'other')));
    expect(listing.page(undefined, permits('admin', 'write'))).toBe(listing.page(undefined));
  });

  it('the number of cached lists is bounded for all callers together', () => {
    const guarded = createListing(
      'tools',
      Array.from({ length: 8 }, (_, n) => entry(`t${n}`, `s${n}`)),
    );
    for (let bits = 0; bits < 256; bits += 1) {
      const held = Array.from({ length: 8 }, (_, n) => `s${n}`).filter((_, n) => bits & (1 << n));
      const { tools } = guarded.page(undefined, permits(...held)) as Page;
      expect(tools.map(({ name }) => name)).toEqual(held.map((scope) => scope.replace('s', 't')));
    }
  });
});
