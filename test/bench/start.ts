/**
 * Owns `npm run bench:start`: milliseconds from the start of a process to "ready", of each service alone and of `npm start`, without and
 * with the compile cache of Node.js, in alternation.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { Run } from '../support/stack.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '9' } } });

/** Each with what it prints when it is ready. */
const PROGRAMS = [
  { name: 'mcp-server', program: 'mcp-server/src/main.ts', ready: '"msg":"ready"' },
  { name: 'auth-server', program: 'auth-server/src/main.ts', ready: '"msg":"ready"' },
  { name: 'development-idp', program: 'development-idp/src/main.ts', ready: '"msg":"ready"' },
  { name: 'npm start, all three', program: 'scripts/start.ts', ready: 'Ctrl-C stops everything' },
];

const folder = mkdtempSync(join(tmpdir(), 'bench-start-'));
const [mcp, auth, idp] = await freePorts(3);
const settings = {
  PUBLIC_URL: `http://localhost:${mcp}`,
  ISSUER: `http://localhost:${auth}`,
  DEVELOPMENT_IDP_URL: `http://localhost:${idp}`,
};

/** @returns milliseconds until it was ready; it has ended by then */
async function start({ program, ready }: (typeof PROGRAMS)[number], cache: NodeJS.ProcessEnv): Promise<number> {
  // Each start creates its keys, as the first one on a machine does.
  const DATA_DIR = mkdtempSync(join(folder, 'data-'));
  const begun = performance.now();
  const run = new Run({ ...settings, DATA_DIR, ...cache }, `--import ./scripts/installed.mjs ${program}`);
  await run.says(ready);
  const taken = performance.now() - begun;
  await run.stop();
  return taken;
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN;

const without = { NODE_DISABLE_COMPILE_CACHE: '1' };
const cached = { NODE_COMPILE_CACHE: join(folder, 'compiled') };
const rows = PROGRAMS.map((each) => ({ ...each, without: [] as number[], cached: [] as number[] }));
// A process writes the cache when it ends.
for (const row of rows) await start(row, cached);
for (let round = 0; round < Number(values.rounds); round++) {
  for (const row of rows) {
    row.without.push(await start(row, without));
    row.cached.push(await start(row, cached));
  }
}
process.stdout.write(
  `median of ${values.rounds} alternating starts | without a cache | with the compile cache | ratio\n`,
);
for (const { name, ...row } of rows) {
  const [before, after] = [median(row.without), median(row.cached)];
  process.stdout.write(`${name} | ${before.toFixed(0)} ms | ${after.toFixed(0)} ms | ${(after / before).toFixed(2)}\n`);
}
rmSync(folder, { recursive: true });
