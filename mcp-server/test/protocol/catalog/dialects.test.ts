/** Proves which dialects of JSON Schema a tool may use, and that each is validated by its own rules (MCP basic). */
import { describe, expect, it } from 'vitest';
import { createCatalog } from '../../../src/protocol/catalog/catalog.ts';
import { defineTool, type JsonSchema } from '../../../src/protocol/define.ts';
import { methodsOver } from '../../support/methods-harness.ts';

const tool = (inputSchema: object, more: object = {}) =>
  defineTool({
    name: 'x',
    title: 't',
    description: 'd',
    inputSchema: inputSchema as JsonSchema,
    run: () => ({ text: 'ran' }),
    ...more,
  });

const NEWEST = 'https://json-schema.org/draft/2020-12/schema';
const DRAFT_07 = 'http://json-schema.org/draft-07/schema#';

describe('a tool with a JSON Schema', () => {
  it.each([
    [NEWEST, NEWEST],
    [`${NEWEST}#`, NEWEST],
    ['http://json-schema.org/draft/2020-12/schema', NEWEST],
    ['http://json-schema.org/draft/2020-12/schema#', NEWEST],
    [DRAFT_07, DRAFT_07],
    ['http://json-schema.org/draft-07/schema', DRAFT_07],
    ['https://json-schema.org/draft-07/schema#', DRAFT_07],
    ['https://json-schema.org/draft-07/schema', DRAFT_07],
  ])('RFC 3986 §3.5 a schema may name its dialect %s, and is listed with %s', async ($schema, shown) => {
    const schema = { $schema, type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
    const { ask } = methodsOver([
      tool(schema, { outputSchema: schema, run: ({ n }: { n: number }) => ({ structured: { n } }) }),
    ]);
    const { tools } = await ask('tools/list');
    expect(tools).toMatchObject([{ inputSchema: { ...schema, $schema: shown }, outputSchema: { $schema: shown } }]);
    const call = (given: object) => ask('tools/call', { name: 'x', arguments: given });
    expect(await call({ n: 1 })).toMatchObject({ structuredContent: { n: 1 } });
    expect(await call({ n: 'x' })).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('n: must be integer') }],
    });
  });

  it('a schema without a dialect is listed without one', async () => {
    const { tools } = await methodsOver([tool({ type: 'object' })]).ask('tools/list');
    expect(tools[0].inputSchema).toEqual({ type: 'object' });
  });

  it('a draft-07 schema is validated by the rules of draft-07: tuples, definitions, dependencies', async () => {
    const { ask } = methodsOver([
      tool({
        $schema: DRAFT_07,
        type: 'object',
        definitions: { name: { type: 'string', minLength: 2 } },
        properties: {
          pair: { type: 'array', items: [{ type: 'string' }, { type: 'number' }], additionalItems: false },
          name: { $ref: '#/definitions/name' },
        },
        dependencies: { name: ['pair'] },
      }),
    ]);
    const isError = async (given: object) =>
      (await ask('tools/call', { name: 'x', arguments: given })).isError === true;
    expect(await isError({ pair: ['a', 1], name: 'ab' })).toBe(false);
    for (const wrong of [{ pair: [1, 'a'] }, { pair: ['a', 1, 2] }, { pair: ['a', 1], name: 'a' }, { name: 'ab' }]) {
      expect(await isError(wrong), JSON.stringify(wrong)).toBe(true);
    }
  });

  it.each([
    'http://json-schema.org/draft-04/schema#',
    'http://json-schema.org/draft-06/schema#',
    `${NEWEST}#/x`,
    'https://example.com/schema',
    '',
    7,
    null,
  ])('a schema of the dialect %j is refused, with the supported dialects', ($schema) => {
    expect(() => createCatalog([tool({ $schema, type: 'object' })])).toThrow(/dialect .* only .*2020-12.*draft-07/);
  });
});
