/** Ensures that everything that runs from the repository uses its .env: `npm start`, and the commands of each service. */
import { statSync } from 'node:fs';

const stat = statSync('.env', { throwIfNoEntry: false });
if (stat) load(stat.isFile());

function load(isFile: boolean): void {
  try {
    // Reading a pipe would wait for a writer.
    if (!isFile) throw new Error('it is not a regular file');
    process.loadEnvFile('.env');
  } catch (error) {
    process.stderr.write(`.env can't be read (${(error as Error).message})\n`);
    process.exit(1);
  }
}
