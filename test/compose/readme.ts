/** Owns the commands that README and its pages give to users of Docker: the tests run exactly these. */
import { readFileSync } from 'node:fs';

const ROOT = new URL('../../', import.meta.url);

/** The shell lines of a section, in order; a line that ends in a backslash continues in the next one. */
export function commandsUnder(heading: string, page = 'README.md'): readonly string[] {
  const text = readFileSync(new URL(page, ROOT), 'utf8');
  const start = text.indexOf(`\n## ${heading}\n`);
  if (start < 0) throw new Error(`${page} has no section ${heading}`);
  const section = text.slice(start + 1).split(/\n(?=## )/)[0] ?? '';
  const blocks = [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  return blocks.flatMap((block) => block.replaceAll(/\\\n\s*/g, '').split('\n')).filter((line) => line !== '');
}

/** The only command of README's compose section that matches. */
export function composeCommand(pattern: RegExp): string {
  const found = commandsUnder('Docker compose').filter((command) => pattern.test(command));
  const [command] = found;
  if (command === undefined || found.length > 1) {
    throw new Error(`README's compose section has ${found.length} commands like ${pattern}`);
  }
  return command;
}
