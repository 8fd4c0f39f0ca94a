/** Owns `npm run check`: it prints each step and its usual duration, runs the steps one by one and ends at the first that fails. */
import { spawnSync } from 'node:child_process';
import process from 'node:process';

/** Durations on a machine with two cores. */
const STEPS = [
  { script: 'types', checks: 'the types of all code', takes: '5 s' },
  { script: 'lint', checks: 'lint rules and formatting (`npm run format` repairs most)', takes: '2 s' },
  { script: 'unused', checks: 'unused files, exports and dependencies', takes: '5 s' },
  { script: 'test', checks: 'every test that needs no Docker', takes: '15 min' },
] as const;

const say = (line: string) => process.stdout.write(`${line}\n`);
const seconds = (since: number) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

say('npm run check:');
for (const { script, checks, takes } of STEPS) say(`  ${script.padEnd(7)} about ${takes.padEnd(7)} ${checks}`);
say('For the loop of edit and run: npm run test:unit, under a minute.');

for (const { script } of STEPS) {
  say(`\n== npm run ${script}`);
  const begun = Date.now();
  const { status } = spawnSync('npm', ['run', '-s', script], { stdio: 'inherit' });
  say(`== ${script}: ${status === 0 ? 'passed' : 'failed'} in ${seconds(begun)}`);
  if (status !== 0) process.exit(status ?? 1);
}
