/** Owns folders of many tools for TOOLS_DIR: as many as are asked for, each with as many fields. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../support/stack.ts';

const source = (n: number, fields: number): string => `import { z } from 'zod';
import { defineTool } from '../../mcp-server/src/protocol/define.ts';

export default defineTool({
  name: 'tool_${n}',
  title: 'Tool ${n}',
  description: 'One of many tools, with as many fields as a form.',
  input: z.object({
${Array.from({ length: fields }, (_, m) => `    field_${m}: z.string().max(100).optional().describe('Field ${m} of the form'),`).join('\n')}
  }),
  run: () => ({ text: 'done' }),
});
`;

export interface ManyTools extends Disposable {
  readonly folder: string;
}

export function manyTools(count: number, fields: number): ManyTools {
  // Inside the project, where the files find its modules.
  const folder = mkdtempSync(join(ROOT, 'test', '.tools-'));
  for (let n = 0; n < count; n += 1) writeFileSync(join(folder, `many-${n}.tool.ts`), source(n, fields));
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}
