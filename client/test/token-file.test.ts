/** Proves that only one process at a time changes the token file, even after a process has crashed while it held the lock. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '@mcp-oauth/shared/clock';
import { expect, it } from 'vitest';
import { tokenFile } from '../src/tokens/token-file.ts';

const URL_OF_SERVER = new URL('https://mcp.example/mcp');
const dependencies = {
  now: () => systemClock.now(),
  wait: async () => {},
  unique: randomUUID,
};

it('CWE-362 a lock that a crashed process has left is taken by one process, and the others wait', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tokens-'));
  for (let round = 0; round < 10; round++) {
    const { path } = tokenFile(folder, URL_OF_SERVER, dependencies);
    writeFileSync(`${path}.lock`, '');
    utimesSync(`${path}.lock`, 1, 1);
    let inside = 0;
    let most = 0;
    const change = async () => {
      inside += 1;
      most = Math.max(most, inside);
      for (let n = 0; n < 2; n++) await setImmediate();
      inside -= 1;
      return undefined;
    };
    const all = Array.from({ length: 40 }, () => tokenFile(folder, URL_OF_SERVER, dependencies).update(change));
    await Promise.all(all);
    expect(most).toBe(1);
  }
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});
