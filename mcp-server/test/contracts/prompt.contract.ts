/** Owns the contract of every prompt; a file added to prompts/ is tested automatically. */
import { PromptMessageSchema } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, it } from 'vitest';
import type { PromptEntry } from '../../src/protocol/catalog/prompt-entry.ts';
import { testContext } from '../support/definition-context.ts';

/** @param given arguments with which the prompt can be rendered */
export function promptContract(prompt: PromptEntry, given: Readonly<Record<string, string>>): void {
  describe(`prompt contract: ${prompt.key}`, () => {
    const { title, arguments: listed = [] } = prompt.listed as {
      title: string;
      arguments?: readonly { description?: string }[];
    };

    it('the prompt and each of its arguments have a description', () => {
      expect(prompt.description).toMatch(/^[A-Z].{19,}\.$/s);
      expect(title.length).toBeGreaterThan(0);
      for (const { description } of listed) expect(description).toBeTypeOf('string');
    });

    it('the prompt renders to messages', async () => {
      const messages = await prompt.render(prompt.arguments.parse(given), testContext);
      expect(messages.length).toBeGreaterThan(0);
      for (const message of messages) expect(PromptMessageSchema.safeParse(message).error).toBeUndefined();
    });

    it('the prompt refuses missing arguments', () => {
      for (const name of Object.keys(given)) {
        const { [name]: _, ...rest } = given;
        expect(prompt.arguments.safeParse(rest).success).toBe(false);
      }
    });
  });
}
