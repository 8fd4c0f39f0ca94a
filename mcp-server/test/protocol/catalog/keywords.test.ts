/**
 * Proves that a misspelt keyword of JSON Schema is refused, and that no other keyword is (JSON Schema 2020-12 §6.5).
 */
import { describe, expect, it } from 'vitest';
import { createCatalog } from '../../../src/protocol/catalog/catalog.ts';
import { misspeltKeyword } from '../../../src/protocol/catalog/keywords.ts';
import { defineTool } from '../../../src/protocol/define.ts';

describe('a keyword of JSON Schema', () => {
  it.each([
    [{ requierd: ['a'] }, 'required'],
    [{ require: ['a'] }, 'required'],
    [{ additionalPropertes: false }, 'additionalProperties'],
    [{ AdditionalProperties: false }, 'additionalProperties'],
    [{ properties: { a: { type: 'string', maxlength: 3 } } }, 'maxLength'],
    [{ anyOf: [{ patern: 'x' }] }, 'pattern'],
    [{ $defs: { a: { minimun: 1 } } }, 'minimum'],
    [{ items: { allof: [] } }, 'allOf'],
  ])('a misspelt keyword is refused with a suggestion: %j', (schema, meant) => {
    expect(misspeltKeyword(schema)).toContain(`did you mean "${meant}"`);
    const inputSchema = { type: 'object' as const, ...schema };
    const tool = defineTool({ name: 'x', title: 't', description: 'd', inputSchema, run: () => ({ text: '' }) });
    expect(() => createCatalog([tool])).toThrow(`did you mean "${meant}"`);
  });

  it.each([
    {
      title: 't',
      description: 'd',
      default: { requierd: 1 },
      examples: [{ requierd: 1 }],
      example: 1,
      deprecated: true,
    },
    { properties: { requierd: { type: 'string' }, patern: {}, types: {} }, required: ['requierd'] },
    { $schema: 's', $id: 'i', $ref: '#', $comment: 'c', $anchor: 'a', 'x-mcp-header': 'A', 'x-requierd': 1 },
    {
      nullable: true,
      readOnly: true,
      enumNames: ['a'],
      discriminator: {},
      xml: {},
      order: 1,
      widget: 'x',
      markdown: 'm',
    },
    { enum: [{ requierd: 1 }], const: { patern: 1 } },
  ])("a correct keyword, the author's own names and annotations are accepted: %j", (schema) => {
    expect(misspeltKeyword(schema)).toBeUndefined();
  });
});
