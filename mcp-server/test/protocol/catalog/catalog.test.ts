/**
 * Proves that an invalid definition is never offered, and is reported (MCP 2025-11-25 server/tools, tool names;
 * server/resources).
 */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compileCatalog, createCatalog } from '../../../src/protocol/catalog/catalog.ts';
import { readSource } from '../../../src/protocol/catalog/files/source.ts';
import { definePrompt, defineResource, defineTool, type JsonSchema } from '../../../src/protocol/define.ts';

const about = { title: 't', description: 'd' };
const named = (name: string, input: z.ZodObject = z.object({})) =>
  defineTool({ ...about, name, input, run: () => ({ text: '' }) });
const described = (inputSchema: object, name = 'described') =>
  defineTool({ ...about, name, inputSchema: inputSchema as JsonSchema, run: () => ({ text: '' }) });
const resource = (uri: string, scope: string[] = []) =>
  defineResource({ ...about, name: 'r', uri, scope, read: () => ({ text: uri }) });
const template = (uriTemplate: string, more: object = {}) =>
  defineResource({ ...about, name: uriTemplate, uriTemplate, read: () => ({ text: '' }), ...more });
const prompt = (name: string, args: z.ZodObject = z.object({}), more: object = {}) =>
  definePrompt({ ...about, name, arguments: args, render: () => [], ...more });

describe('catalog', () => {
  it('the catalog sorts definitions by name and finds them by name', () => {
    const catalog = createCatalog([named('b'), { ...named('a'), scope: ['x', 'y'] }]);
    expect(catalog.summaries.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(catalog.summaries.map(({ scopes }) => scopes)).toEqual([['x', 'y'], []]);
    expect(catalog.tools.find('constructor')).toBeUndefined();
  });

  it('the catalog knows the scope of every definition, and none for unknown names', () => {
    const { scoped } = createCatalog([
      { ...named('t'), scope: 'of-tool' },
      { ...prompt('p'), scope: 'of-prompt' },
      resource('a:one', ['of-resource']),
      template('a:{x}', { scope: 'of-template' }),
    ]);
    expect(scoped.declared.toSorted()).toEqual(['of-prompt', 'of-resource', 'of-template', 'of-tool']);
    expect([scoped.tool('t'), scoped.prompt('p'), scoped.tool('p')]).toEqual([['of-tool'], ['of-prompt'], []]);
    expect(['a:one', 'a:two', 'a:{x}', 'b:'].map(scoped.resource)).toEqual([
      ['of-resource'],
      ['of-template'],
      ['of-template'],
      [],
    ]);
  });

  it('the most specific template for a URI is used', () => {
    const { templateOf } = createCatalog([template('a:{x}'), template('a:{x}-{y}'), template('a:b-{y}')]);
    const found = ['a:b-c', 'a:d-c', 'a:e', 'b:e'].map((uri) => templateOf(uri)?.entry.key);
    expect(found).toEqual(['a:b-{y}', 'a:{x}-{y}', 'a:{x}', undefined]);
  });

  it('valid definitions are offered beside invalid ones, and the first of two with one name', () => {
    const { catalog, problems } = compileCatalog([
      { kind: 'tool', value: named('good'), from: '1.tool.ts' },
      { kind: 'tool', value: named('bad name'), from: '2.tool.ts' },
      { kind: 'tool', value: { ...named('good'), title: 'late' }, from: '3.tool.ts' },
      { kind: 'resource', value: resource('a:b'), from: '4.resource.ts' },
      { kind: 'resource', value: resource('a:b'), from: '5.resource.ts' },
    ]);
    expect(problems).toEqual([
      { from: '2.tool.ts', reason: '"bad name" is not a valid name for a tool' },
      { from: '3.tool.ts', reason: 'two tools are named good: 1.tool.ts and 3.tool.ts' },
      { from: '5.resource.ts', reason: 'two resources are named a:b: 4.resource.ts and 5.resource.ts' },
    ]);
    expect([catalog.tools.entries.length, catalog.tools.find('good')?.listed.title]).toEqual([1, 't']);
  });
});

describe('invalid definitions', () => {
  it.each(['', 'two words', 'ümlaut', 'x'.repeat(129)])('the name "%s" is refused', (name) => {
    expect(() => createCatalog([named(name)])).toThrow('is not a valid name for a tool');
    expect(() => createCatalog([prompt(name)])).toThrow('is not a valid name for a prompt');
  });

  it.each(['', 'no-scheme', 'a:b c', 'a:\n', 'a:{x}', '1a:b'])('the URI "%s" is refused', (uri) => {
    expect(() => createCatalog([resource(uri)])).toThrow('is not a URI');
  });

  it.each([
    ['a schema that JSON Schema has no words for', named('dated', z.object({ when: z.date() })), 'represented in JSON'],
    ['a header for a number', named('n', z.object({ n: z.number().meta({ 'x-mcp-header': 'N' }) })), 'x-mcp-header'],
    ['a prompt that takes a number', prompt('n', z.object({ n: z.number() })), 'has to be a string'],
    ['suggestions for what a prompt does not take', prompt('s', z.object({}), { complete: { x: () => [] } }), '"x"'],
    ['suggestions for what a template has not', template('a:{b}', { complete: { x: () => [] } }), '"x"'],
    ['another dialect', described({ type: 'object', $schema: 'http://json-schema.org/draft-04/schema#' }), 'dialect'],
    ['what would break every list', described({ type: 'object', default: 1n }), "can't be written as JSON"],
    ['an invalid JSON Schema', described({ type: 'object', properties: { a: { type: 'text' } } }), 'schema is invalid'],
    ['a reference into the network', described({ type: 'object', $ref: 'https://x.example/s' }), "can't resolve"],
    ['a schema of something else', described({ type: 'array' }), 'type object'],
  ])('a definition is refused with %s', (_, definition, reason) => {
    expect(() => createCatalog([definition])).toThrow(reason);
  });

  it.each([
    ['tool', undefined, 'instead of an object'],
    ['tool', 3, 'instead of an object'],
    ['tool', { ...about }, 'it has no name'],
    ['tool', { ...about, name: 'x' }, 'neither an input nor an inputSchema'],
    ['tool', { ...about, name: 'x', input: { parse: () => 1 } }, 'zod 4'],
    ['tool', { ...about, name: 'x', input: z.object({}), output: 3 }, 'zod 4'],
    ['tool', { ...named('x'), outputSchema: {} }, 'mixes zod with JSON Schema'],
    ['tool', { ...about, name: 'x', inputSchema: {}, output: z.object({}) }, 'mixes zod with JSON Schema'],
    ['tool', { ...about, name: 'x', inputSchema: z.object({}) }, 'give it as input'],
    ['tool', { ...about, name: 'x', inputSchema: {}, outputSchema: z.object({}) }, 'give it as output'],
    ['tool', { ...about, name: 'x', input: z.object({}) }, 'no function run'],
    ['tool', { ...named('x'), scope: ['two words'] }, 'scope'],
    ['resource', { ...about, name: 'x', read: () => '' }, 'either a uri or a uriTemplate'],
    ['resource', { ...about, name: 'x', uri: 'a:b' }, 'no function read'],
    ['prompt', { ...about, name: 'x', arguments: 3 }, 'zod 4'],
    ['prompt', { ...about, name: 'x' }, 'no function render'],
  ] as const)('a %s that is %j is refused', (kind, value, reason) => {
    expect(() => readSource(kind, value, 'here')).toThrow(reason);
  });
});

describe('the arguments of a tool', () => {
  const check = (tool: ReturnType<typeof named> | ReturnType<typeof described>, given: Record<string, unknown>) =>
    createCatalog([tool]).tools.entries[0]?.check(given);

  it('the arguments of a tool that accepts any stay unchanged', () => {
    expect(check(named('any', z.looseObject({})), { x: 1 })).toEqual({ input: { x: 1 } });
  });

  it('MCP 2026-07-28 basic, "JSON Schema Usage": arguments are checked with every keyword of 2020-12', () => {
    const schema = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: { place: { $anchor: 'place', type: 'object', properties: { city: { type: 'string' } } } },
      properties: {
        from: { $ref: '#/$defs/place' },
        to: { $ref: '#place' },
        by: { enum: ['air', 'sea'] },
        mail: { type: 'string', format: 'email' },
      },
      if: { properties: { by: { const: 'air' } }, required: ['by'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { required: ['from'] },
      unevaluatedProperties: false,
    };
    const tool = described(schema);
    expect(createCatalog([tool]).tools.entries[0]?.listed.inputSchema).toBe(schema);
    expect(check(tool, { by: 'sea' })).toEqual({ input: { by: 'sea' } });
    const problems = [
      [{ by: 'air' }, "must have required property 'from'"],
      [{ to: { city: 1 } }, 'to.city: must be string'],
      [{ by: 'land' }, 'by: must be one of ["air","sea"]'],
      [{ on: 1 }, 'must not have "on"'],
      [{ mail: 'x' }, 'mail: must match format "email"'],
    ] as const;
    for (const [given, problem] of problems) expect(check(tool, given)).toEqual({ problems: [problem] });
  });

  it('two tools may use schemas with the same $id', () => {
    const schema = { $id: 'https://x.example/s', type: 'object' };
    expect(createCatalog([described(schema, 'a'), described(schema, 'b')]).tools.entries).toHaveLength(2);
  });
});
