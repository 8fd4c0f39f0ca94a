/**
 * Owns `npm run bench:audit`: the processor time of a tools/call with the audit to a file beside the same server without
 * it, in alternation, with the confidence interval of the difference.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { callStateless, ECHO, meet } from './mcp-parties.ts';
import { type Contestant, startProduct } from './mcp-servers.ts';
import { leaveServerAlone } from './program.ts';
import { press, until } from './wire.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '10' }, seconds: { type: 'string', default: '1.5' } },
});

leaveServerAlone();
const folder = mkdtempSync(join(tmpdir(), 'bench-audit-'));
const file = join(folder, 'audit.jsonl');
await using parties = await meet();
const { issuer, tokens } = parties;

async function cost({ port, program }: Contestant) {
  const end = performance.now() + Number(values.seconds) * 1000;
  return press({ port, pid: program.pid, speakers: tokens.map((token) => until(end, callStateless(token, ECHO))) });
}

async function play(): Promise<void> {
  await using without = await startProduct(issuer);
  await using audited = await startProduct(issuer, { audit: file });
  const pairs: { readonly off: number; readonly on: number }[] = [];
  let calls = 0;
  for (let round = 0; round <= Number(values.rounds); round += 1) {
    const inTurn = round % 2 === 0 ? [without, audited] : [audited, without];
    const costs = new Map<Contestant, number>();
    for (const contestant of inTurn) {
      const { cpu, requests } = await cost(contestant);
      costs.set(contestant, cpu);
      if (contestant === audited) calls += requests;
    }
    // The first round warms up the compiler.
    if (round > 0) pairs.push({ off: costs.get(without) ?? Number.NaN, on: costs.get(audited) ?? Number.NaN });
  }
  const mean = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const differences = pairs.map(({ off, on }) => on - off);
  const middle = mean(differences);
  const variance = differences.reduce((sum, one) => sum + (one - middle) ** 2, 0) / (differences.length - 1);
  // Student's t for ten pairs, 95 %.
  const half = 2.26 * Math.sqrt(variance / differences.length);
  const [off, on] = [mean(pairs.map((pair) => pair.off)), mean(pairs.map((pair) => pair.on))];
  process.stdout.write(`${calls} audited calls, ${(statSync(file).size / calls).toFixed(0)} bytes each\n`);
  process.stdout.write(`CPU of a tools/call: off ${off.toFixed(1)} µs, on ${on.toFixed(1)} µs\n`);
  process.stdout.write(`difference: ${middle.toFixed(1)} µs ± ${half.toFixed(1)} µs (95 %)\n`);
}

try {
  await play();
} finally {
  rmSync(folder, { recursive: true });
}
