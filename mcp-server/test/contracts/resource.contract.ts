/** Owns the contract of every resource; a file added to resources/ is tested automatically. */
import { describe, expect, it } from 'vitest';
import type { ResourceEntry, TemplateEntry } from '../../src/protocol/catalog/resource-entry.ts';
import { testContext } from '../support/definition-context.ts';

/** @param variables of a template for which it has content */
export function resourceContract(resource: ResourceEntry | TemplateEntry, variables: Record<string, string>): void {
  describe(`resource contract: ${resource.key}`, () => {
    it('the resource has a title and a description', () => {
      const { title, description } = resource.listed as { title: string; description: string };
      expect(description).toMatch(/^[A-Z].{19,}\.$/s);
      expect(title.length).toBeGreaterThan(0);
    });

    it('the resource yields either text or bytes, and their type', async () => {
      const content = await ('template' in resource
        ? resource.read(variables, testContext)
        : resource.read(testContext));
      expect([content?.text, content?.bytes].filter((part) => part !== undefined)).toHaveLength(1);
      expect(content?.mimeType ?? resource.mimeType).toMatch(/^[a-z]+\/[\w.+-]+/);
    });
  });
}
