/** Proves that what a resource says about its tools (RFC 9728 §2) is bounded, and that malformed parts are ignored. */
import { TOOLS_BY_SCOPE } from '@mcp-oauth/shared/contract';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createScopeSource } from '../../src/resources/resource-metadata.ts';
import { readToolsByScope } from '../../src/resources/scope-tools.ts';

const SCOPES = ['mcp:tools', 'mcp:admin'];
const readOne = (said: unknown) => readToolsByScope({ 'mcp:tools': said }, SCOPES).get('mcp:tools');

describe('RFC 9728 §2 the tools behind a scope', () => {
  it('titles, their number and whether they only read come from the metadata of the resource', async () => {
    const metadata = {
      resource: 'https://mcp.example/mcp',
      scopes_supported: SCOPES,
      [TOOLS_BY_SCOPE]: { 'mcp:tools': { tools: ['Echo'], total: 3, read_only: true } },
    };
    const source = createScopeSource({
      url: 'https://mcp.example/.well-known/oauth-protected-resource/mcp',
      identifiers: ['https://mcp.example/mcp'],
      fetch: async () => Response.json(metadata),
      clock: new FakeClock(),
      onFailure: () => {},
    });
    expect(source.tools().size).toBe(0);
    await source.ready();
    expect(Object.fromEntries(source.tools())).toEqual({
      'mcp:tools': { titles: ['Echo'], more: 2, isReadOnly: true },
    });
  });

  it.each([
    ['more titles than are shown', { tools: Array(50).fill('x') }, { titles: Array(20).fill('x'), more: 30 }],
    [
      'a long title with invisible characters',
      { tools: [`a\u202e\n${'b'.repeat(90)}`] },
      { titles: [`a ${'b'.repeat(78)}`] },
    ],
    ['titles that are no texts', { tools: [1, null, 'Echo', ' '] }, { titles: ['Echo'], more: 3 }],
    ['a total that is too small', { tools: ['a', 'b'], total: 1 }, { titles: ['a', 'b'], more: 0 }],
    ['a total that is no number', { tools: ['a'], total: 'many' }, { titles: ['a'], more: 0 }],
    ['a claim that is no boolean', { tools: ['a'], read_only: 'true' }, { isReadOnly: false }],
    ['no claim', { tools: ['a'] }, { isReadOnly: false }],
  ])('%s: it is bounded', (_, member, expected) => expect(readOne(member)).toMatchObject(expected));

  it.each([null, 1, 'x', [], {}, { tools: 'Echo' }, { tools: [] }, { tools: [{}] }])(
    'the description %j of a scope counts as none',
    (member) => expect(readOne(member)).toBeUndefined(),
  );

  it('a scope that the resource does not have is ignored', () => {
    const said = { 'mcp:tools': { tools: ['a'] }, other: { tools: ['b'] }, constructor: { tools: ['c'] } };
    expect([...readToolsByScope(said, [...SCOPES, 'toString']).keys()]).toEqual(['mcp:tools']);
  });

  it('no value of the member makes the metadata unusable', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(readToolsByScope(value, SCOPES).size).toBeLessThanOrEqual(SCOPES.length);
        expect(readToolsByScope({ 'mcp:tools': value }, SCOPES).size).toBeLessThanOrEqual(1);
      }),
    );
  });
});
