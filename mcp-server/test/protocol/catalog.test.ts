/** Owns the proof that a set of tools which can't be offered never starts (MCP 2025-11-25 server/tools, tool names). */

import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createCatalog, loadCatalog } from '../../src/protocol/catalog.ts';
import { defineTool } from '../../src/protocol/define.ts';

const named = (name: string, input: z.ZodObject = z.object({})) =>
  defineTool({ name, title: name, description: name, input, run: () => ({ text: '' }) });

const define = new URL('../../src/protocol/define.ts', import.meta.url).href;
const zod = import.meta.resolve('zod');
const source = (name: string) =>
  `import { z } from '${zod}'; import { defineTool } from '${define}';
   export default defineTool({ name: '${name}', title: 't', description: 'd', input: z.object({}), run: () => ({ text: '' }) });`;

async function folder(files: Readonly<Record<string, string>>): Promise<URL> {
  const path = await mkdtemp(join(tmpdir(), 'catalog-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return pathToFileURL(`${path}/`);
}

describe('catalog', () => {
  it('sorts by name and answers by name', () => {
    const catalog = createCatalog([named('b'), { ...named('a'), scope: 'mcp:admin' }]);
    expect(catalog.summaries.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(catalog.summaries.map(({ scope }) => scope)).toEqual(['mcp:admin', undefined]);
    expect(catalog.find('constructor')).toBeUndefined();
  });

  it.each(['', 'two words', 'ümlaut', 'x'.repeat(129)])('refuses the name "%s"', (name) => {
    expect(() => createCatalog([named(name)])).toThrow('is no name for a tool');
  });

  it('refuses two tools of one name, naming both files', async () => {
    const files = await folder({ 'one.tool.ts': source('same'), 'two.tool.ts': source('same') });
    await expect(loadCatalog(files)).rejects.toThrow(/two tools are named same: .*one\.tool\.ts and .*two\.tool\.ts/);
  });

  it('refuses a file that exports no tool', async () => {
    await expect(loadCatalog(await folder({ 'odd.tool.ts': 'export default 3;' }))).rejects.toThrow('odd.tool.ts');
  });

  it('refuses a schema that JSON Schema has no words for', () => {
    expect(() => createCatalog([named('dated', z.object({ when: z.date() }))])).toThrow(
      "can't be written as JSON Schema",
    );
  });

  it('leaves alone the arguments of a tool that takes any', () => {
    const [entry] = createCatalog([named('any', z.looseObject({}))]).entries;
    expect(entry?.input.parse({ x: 1 })).toEqual({ x: 1 });
  });
});
