/** Proves the content of the prompts, and that each keeps the contract. */
import { describe, expect, it } from 'vitest';
import { promptContract } from '../contracts/prompt.contract.ts';
import { testContext } from '../support/definition-context.ts';
import { builtIn } from '../support/protocol-harness.ts';

const examples: Readonly<Record<string, Record<string, string>>> = {};

for (const prompt of builtIn.prompts.entries) promptContract(prompt, examples[prompt.key] ?? {});

describe('try_out', () => {
  it.each([
    [{}, 'whoami and echo'],
    [{ depth: 'thorough' }, 'every tool'],
  ])('try_out with %j asks for %s', async (given, words) => {
    const prompt = builtIn.prompts.find('try_out');
    const messages = await prompt?.render(prompt.arguments.parse(given), testContext);
    expect(JSON.stringify(messages)).toContain(words);
  });
});
