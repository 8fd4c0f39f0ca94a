/** Proves the content of the resources, and that each keeps the contract. */
import { describe, expect, it } from 'vitest';
import { resourceContract } from '../contracts/resource.contract.ts';
import { testContext } from '../support/definition-context.ts';
import { builtIn } from '../support/protocol-harness.ts';

const examples: Readonly<Record<string, Record<string, string>>> = {};

for (const resource of [...builtIn.resources.entries, ...builtIn.templates.entries]) {
  resourceContract(resource, examples[resource.key] ?? {});
}

describe('about://server', () => {
  it('about://server contains what a client may know, and nothing else', async () => {
    const content = await builtIn.resources.find('about://server')?.read(testContext);
    expect(JSON.parse(content?.text ?? '')).toEqual({
      name: 's',
      version: '1',
      started_at: '2026-01-01T00:00:00.000Z',
      mcp_revisions: ['x'],
    });
  });
});
