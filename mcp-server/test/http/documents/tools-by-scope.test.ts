/** Proves what RFC 9728 metadata says about the tools behind a scope: complete, bounded, and true about what only reads. */
import { describe, expect, it } from 'vitest';
import { createScopePolicy } from '../../../src/authorization/scope.ts';
import { describeTools, toolsByScope } from '../../../src/http/documents/tools-by-scope.ts';
import type { ToolSummary } from '../../../src/protocol/endpoints.ts';

const tool = (title: string, scopes: readonly string[] = [], readOnly = true): ToolSummary => ({
  name: title.toLowerCase(),
  title,
  description: title,
  scopes,
  readOnly,
});
const policy = (tools: readonly ToolSummary[], hierarchy: Readonly<Record<string, readonly string[]>> = {}) =>
  createScopePolicy({
    base: 'mcp:tools',
    hierarchy: new Map(Object.entries(hierarchy).map(([scope, covering]) => [scope, new Set(covering)])),
    scoped: () => ({
      declared: tools.flatMap(({ scopes }) => scopes),
      tool: () => [],
      prompt: () => [],
      resource: () => [],
    }),
  });
const described = (tools: readonly ToolSummary[], hierarchy = {}) => toolsByScope(tools, policy(tools, hierarchy));

describe('RFC 9728 §2 the tools behind a scope', () => {
  it('a tool without a scope is behind the base scope, any other behind each of its scopes', () => {
    const tools = [tool('Echo'), tool('Read', ['notes:read']), tool('Move', ['notes:read', 'notes:write'], false)];
    expect(described(tools)).toEqual({
      'mcp:tools': { tools: ['Echo'], total: 1, read_only: true },
      'notes:read': { tools: ['Read', 'Move'], total: 2, read_only: false },
      'notes:write': { tools: ['Move'], total: 1, read_only: false },
    });
  });

  it('a scope that covers another one is only read-only if that one is', () => {
    const tools = [tool('Read', ['notes:read']), tool('Change', ['notes:write'], false)];
    const { 'notes:admin': admin } = described([...tools, tool('Look', ['notes:admin'])], {
      'notes:write': ['notes:admin'],
    });
    expect(admin).toEqual({ tools: ['Change', 'Look'], total: 2, read_only: false });
  });

  it('a scope without tools is not described', () => {
    expect(described([tool('Read', ['notes:read'])])).not.toHaveProperty('mcp:tools');
  });

  it('the document stays below what a reader accepts, however many tools and scopes there are', () => {
    const tools = Array.from({ length: 2_000 }, (_, n) => tool('🐘'.repeat(200), [`scope:${n % 200}`]));
    const all = described(tools);
    expect(Object.keys(all)).toHaveLength(50);
    expect(Buffer.byteLength(JSON.stringify(all))).toBeLessThan(400_000);
    expect(all['scope:0']).toMatchObject({ total: 10, tools: Array(10).fill('🐘'.repeat(80)) });
    const many = described(Array.from({ length: 21 }, () => tool('Echo')));
    expect(many['mcp:tools']).toEqual({ tools: Array(20).fill('Echo'), total: 21, read_only: true });
  });

  it('the description is computed once for each list of tools', () => {
    let tools = [tool('Echo')];
    const describe = describeTools(() => tools, policy(tools));
    const first = describe();
    expect(describe()).toBe(first);
    tools = [tool('Echo'), tool('Sum')];
    expect(describe()['mcp:tools']?.total).toBe(2);
  });
});
