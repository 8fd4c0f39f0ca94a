/** Owns what every tool must keep to, whoever wrote it; a file added to tools/ is put through this by itself. */

import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createCatalog } from '../../src/protocol/catalog.ts';
import { type Tool, ToolError } from '../../src/protocol/define.ts';
import { principals } from '../protocol/harness.ts';

/** @param valid arguments that the tool runs with, to see that its answer keeps to its schema */
export function toolContract(tool: Tool, valid: object): void {
  describe(`tool contract: ${tool.name}`, () => {
    const [entry] = createCatalog([tool]).entries;
    const ajv = new AjvJsonSchemaValidator();

    it('has JSON Schemas of 2020-12 that compile and describe objects', () => {
      for (const schema of [entry?.listed.inputSchema, entry?.listed.outputSchema]) {
        expect(schema?.type).toBe('object');
        expect(() => ajv.getValidator({ ...schema })).not.toThrow();
      }
    });

    it('says in a sentence or two what it is for, and what each argument is', () => {
      expect(tool.description).toMatch(/^[A-Z].{19,}\.$/s);
      expect(tool.description.length).toBeLessThan(400);
      expect(tool.title.length).toBeGreaterThan(0);
      for (const argument of Object.values(tool.input.shape)) {
        expect(z.toJSONSchema(argument as z.ZodType).description).toBeTypeOf('string');
      }
    });

    it('tells clients how careful they have to be', () => {
      expect(tool.annotations?.readOnlyHint ?? tool.annotations?.destructiveHint).toBeTypeOf('boolean');
      expect(tool.annotations?.openWorldHint).toBeTypeOf('boolean');
    });

    it('answers in text, and in data that fit its output schema', async () => {
      const { text = '', structured } = await tool.run(tool.input.parse(valid), testContext);
      expect(text.length).toBeGreaterThan(0);
      const check = ajv.getValidator({ ...entry?.listed.outputSchema, type: 'object' });
      expect(check(structured).errorMessage).toBeUndefined();
    });

    it('refuses arguments that it does not know', () => {
      expect(entry?.input.safeParse({ ...valid, invented: true }).success).toBe(false);
    });
  });
}

const { ada } = principals;
if (!ada) throw new ToolError('no principal');

/** A context in which nobody listens and every question is declined. */
export const testContext: Parameters<Tool['run']>[1] = {
  principal: ada,
  now: () => new Date('2026-01-01T00:00:30Z'),
  server: async () => ({
    name: 's',
    version: '1',
    startedAt: new Date('2026-01-01T00:00:00Z'),
    revisions: ['x'],
    openSessions: 2,
  }),
  signal: new AbortController().signal,
  progress: async () => {},
  log: async () => {},
  elicit: async () => ({ action: 'decline' }),
  sample: async () => ({ model: 'm', role: 'assistant', content: { type: 'text', text: '' } }),
  roots: async () => [],
  announce: async () => {},
  releaseConnection: async () => {},
};
