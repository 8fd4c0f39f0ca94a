/** Owns the contract of every tool; a file added to tools/ is tested automatically. */

import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import { describe, expect, it } from 'vitest';
import type { ToolEntry } from '../../src/protocol/catalog/tool-entry.ts';
import { testContext } from '../support/definition-context.ts';

type Properties = Readonly<Record<string, { readonly description?: string }>>;

/** @param valid arguments with which the tool runs, to check its answer against its schema */
export function toolContract(tool: ToolEntry, valid: Readonly<Record<string, unknown>>): void {
  const { name, title, description, annotations, inputSchema, outputSchema } = tool.listed;
  describe(`tool contract: ${name}`, () => {
    const ajv = new AjvJsonSchemaValidator();

    it('the tool has JSON Schemas of 2020-12 that compile and describe objects', () => {
      for (const schema of [inputSchema, outputSchema]) {
        expect(schema?.type).toBe('object');
        expect(() => ajv.getValidator({ ...schema })).not.toThrow();
      }
    });

    it('the tool and each of its arguments have a description', () => {
      expect(description).toMatch(/^[A-Z].{19,}\.$/s);
      expect(description.length).toBeLessThan(400);
      expect(title.length).toBeGreaterThan(0);
      for (const argument of Object.values((inputSchema.properties ?? {}) as Properties)) {
        expect(argument.description).toBeTypeOf('string');
      }
    });

    it('the tool has annotations about its effects', () => {
      expect(annotations?.readOnlyHint ?? annotations?.destructiveHint).toBeTypeOf('boolean');
      expect(annotations?.openWorldHint).toBeTypeOf('boolean');
    });

    it('the tool answers in text, and in data that match its output schema', async () => {
      const checked = tool.check(valid);
      if ('problems' in checked) throw new Error(checked.problems.join('; '));
      const { text = '', structured } = await tool.run(checked.input, testContext);
      expect(text.length).toBeGreaterThan(0);
      const check = ajv.getValidator({ ...outputSchema, type: 'object' });
      expect(check(structured).errorMessage).toBeUndefined();
    });

    it('the tool refuses unknown arguments', () => {
      expect(tool.check({ ...valid, invented: true })).toHaveProperty('problems');
    });
  });
}
