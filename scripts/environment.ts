/** Ensures that everything that runs from the repository uses its .env: `npm start`, and the commands of each service. */
import { readFileSync, statSync } from 'node:fs';
import { parseEnv } from 'node:util';

const stat = statSync('.env', { throwIfNoEntry: false });
if (stat) load(stat.isFile());

function load(isFile: boolean): void {
  try {
    // Reading a pipe would wait for a writer.
    if (!isFile) throw new Error('it is not a regular file');
    refuseComments(readFileSync('.env', 'utf8'));
    process.loadEnvFile('.env');
  } catch (error) {
    process.stderr.write(`.env can't be read (${(error as Error).message})\n`);
    process.exit(1);
  }
}

/** Node.js takes everything after # as a comment, and compose does not: a setting would be ignored here without a word. */
function refuseComments(text: string): void {
  const parsed = parseEnv(text);
  for (const [, name = ''] of text.matchAll(/^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*#\S/gm)) {
    if (parsed[name] === '') throw new Error(`the value of ${name} begins with #: write it in quotes`);
  }
}
