/** Owns folders of definitions in tests: real files, written and changed as an author would. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface TestFolder extends Disposable {
  readonly path: string;
  readonly url: URL;
  write(name: string, text: string): void;
  remove(name: string): void;
}

export function folderOf(files: Readonly<Record<string, string>>): TestFolder {
  const path = mkdtempSync(join(tmpdir(), 'mounted-'));
  const folder: TestFolder = {
    path,
    url: pathToFileURL(`${path}/`),
    write: (name, text) => writeFileSync(join(path, name), text),
    remove: (name) => rmSync(join(path, name)),
    [Symbol.dispose]: () => rmSync(path, { recursive: true }),
  };
  for (const [name, text] of Object.entries(files)) folder.write(name, text);
  return folder;
}

/** A tool as an author outside this repository would write it. */
export const toolFile = (name: string, text = 'hello', more = '') => `
  import { defineTool, ToolError } from '@mcp-oauth/mcp-server/define';
  import { z } from 'zod';
  const words: string = ${JSON.stringify(text)};
  export default defineTool({
    name: '${name}', title: 't', description: 'd', ${more}
    input: z.object({ fail: z.boolean().optional() }),
    run: ({ fail }) => {
      if (fail) throw new ToolError('as asked');
      return { text: words };
    },
  });`;
