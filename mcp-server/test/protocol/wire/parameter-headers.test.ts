/** Proves which declarations of mirrored arguments are accepted (MCP 2026-07-28 server/tools). */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parameterHeaders } from '../../../src/protocol/wire/parameter-headers.ts';

const of = (properties: object, more: object = {}) => parameterHeaders({ type: 'object', properties, ...more });
const named = (name: unknown, type: unknown = 'string') => ({ type, 'x-mcp-header': name });

describe('MCP 2026-07-28 server/tools: x-mcp-header', () => {
  it('parameter headers are found at every depth of nested properties', () => {
    const inner = { type: 'object', properties: { b: named('B', 'integer'), 'x-mcp-header': { type: 'string' } } };
    expect(of({ a: named('Tenant-Id'), inner })).toEqual([
      { header: 'mcp-param-tenant-id', path: ['a'], type: 'string' },
      { header: 'mcp-param-b', path: ['inner', 'b'], type: 'integer' },
    ]);
  });

  it("parameter headers are read from the output of zod's .meta()", () => {
    const schema = z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }) });
    expect(parameterHeaders(z.toJSONSchema(schema))).toMatchObject([{ header: 'mcp-param-region', path: ['region'] }]);
  });

  it('values in a schema are not read as schemas', () => {
    const data = { const: named('A'), enum: [named('B')], default: named('C'), examples: [named('D')] };
    expect(of({ a: { type: 'object', ...data } })).toEqual([]);
  });

  it.each([
    ['an empty name', { a: named('') }],
    ['a name with a space', { a: named('a b') }],
    ['a name with a line break', { a: named('a\r\nb') }],
    ['a name that is no string', { a: named(7) }],
    ['a number', { a: named('A', 'number') }],
    ['an object', { a: named('A', 'object') }],
    ['two types', { a: named('A', ['string', 'null']) }],
    ['no type', { a: { 'x-mcp-header': 'A' } }],
    ['two names that differ in case only', { a: named('A'), b: named('a') }],
    ['items', { a: { type: 'array', items: named('A') } }],
    ['anyOf', { a: { anyOf: [named('A')] } }],
    ['additionalProperties', { a: { type: 'object', additionalProperties: named('A') } }],
    ['properties behind an if', { a: { if: { properties: { b: named('A') } } } }],
  ])('a parameter header with %s is refused', (_, properties) => {
    expect(() => of(properties)).toThrow(TypeError);
  });

  it.each([
    ['the root', named('A', 'object')],
    ['a definition', { $defs: { a: named('A') } }],
  ])('a parameter header at %s is refused', (_, more) => {
    expect(() => of({}, more)).toThrow(TypeError);
  });
});
