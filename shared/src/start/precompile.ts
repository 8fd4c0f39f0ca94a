/**
 * Owns a step of building an image: every source of a service is loaded once, so that Node.js keeps what it has compiled in
 * NODE_COMPILE_CACHE. Runs in the folder of the service, as the user of the service: the cache of another user is not read.
 */
import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const MAIN = 'src/main.ts';

/** A source that does not load is left out, and the image is built all the same: a start of it says what is wrong. */
const load = async (path: string): Promise<boolean> => {
  try {
    await import(pathToFileURL(resolve(path)).href);
    return true;
  } catch (error) {
    process.stderr.write(`not compiled: ${path}: ${error}\n`);
    return false;
  }
};

const sources = globSync('{src,../shared/src}/**/*.ts');
for (const path of sources) if (path !== MAIN && resolve(path) !== import.meta.filename) await load(path);
// It prints its commands and ends, or serves until the signal.
process.argv.push('--help');
if (await load(MAIN)) process.kill(process.pid);
