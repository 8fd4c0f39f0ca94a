/** Owns `npm run bench:status-list`: how large a status list is and how long it takes, for a million tokens. */
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '@mcp-oauth/shared/clock';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { decode, encode, isMarked, setBit } from '@mcp-oauth/shared/status-list/status-list';
import { startRedis } from '@mcp-oauth/shared/testing/redis';
import { LIST_SIZE, type StatusStore } from '../../auth-server/src/revocation/status-store.ts';
import { createRedisStatusStore } from '../../auth-server/src/storage/status/redis.ts';
import { createSqliteStatusStore } from '../../auth-server/src/storage/status/sqlite.ts';

const CANDIDATES = 16;
const ALLOCATIONS = 2_000;
const CHECKS = 10_000_000;

const say = (line: string) => process.stdout.write(`${line}\n`);
const ms = (since: number) => (performance.now() - since).toFixed(2);

async function measureSize(share: number): Promise<void> {
  const bits = new Uint8Array(LIST_SIZE / 8);
  for (let n = 0; n < LIST_SIZE * share; n += 1) setBit(bits, randomInt(LIST_SIZE));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const started = performance.now();
  const lst = await encode(bits);
  const encoding = ms(started);
  delay.disable();
  const again = performance.now();
  await decode(lst, LIST_SIZE / 8);
  const loop = (delay.max / 1e6).toFixed(1);
  say(
    `${share * 100} % marked: ${lst.length} bytes, encode ${encoding} ms, decode ${ms(again)} ms, event loop ${loop} ms`,
  );
}

function measureChecks(): void {
  const bits = new Uint8Array(LIST_SIZE / 8);
  const started = performance.now();
  let marked = 0;
  for (let n = 0; n < CHECKS; n += 1) if (isMarked(bits, (n * 7_919) & (LIST_SIZE - 1))) marked += 1;
  say(`one check: ${((Number(ms(started)) * 1e6) / CHECKS).toFixed(1)} ns (${marked} marked)`);
}

async function measureStore(name: string, store: StatusStore): Promise<void> {
  const list = 'abcdefghijklmnopqrstuv';
  await store.create(list, new Uint8Array(LIST_SIZE / 8), 3_600);
  const candidates = () => Array.from({ length: CANDIDATES }, () => randomInt(LIST_SIZE));
  let started = performance.now();
  for (let n = 0; n < ALLOCATIONS; n += 1) await store.allocate(list, candidates(), 3_600);
  say(`${name}: one allocation ${(Number(ms(started)) / ALLOCATIONS).toFixed(3)} ms`);
  started = performance.now();
  await store.marks(list);
  say(`${name}: reading a list ${ms(started)} ms`);
}

for (const share of [0.001, 0.01, 0.1]) await measureSize(share);
measureChecks();

const folder = mkdtempSync(join(tmpdir(), 'status-list-'));
const sqlite = createSqliteStatusStore(join(folder, 'auth-server.sqlite'), systemClock);
await measureStore('SQLite', sqlite);
await sqlite.close();
rmSync(folder, { recursive: true });

await using redis = await startRedis();
const client = openRedis({ target: redisUrl().parse(redis.url), name: 'bench', log: createLogger('bench', 'silent') });
await measureStore('Redis', await createRedisStatusStore(client));
for (const part of ['taken', 'marked', 'version']) {
  say(`Redis: ${part} ${await client.call('MEMORY', 'USAGE', `as:v1:status:{abcdefghijklmnopqrstuv}:${part}`)} bytes`);
}
const grant = '{"accountId":"hL0g5i0123456789012345678901234567890123456","clientId":"lvWeFW0123456789"}';
const reference = ',"status":[{"list":"QLIWxVrxAAAAAAAAAAAAAA","idx":951517,"until":1795255817}]}';
for (const [key, value] of Object.entries({ without: grant, with: grant.replace('}', reference) })) {
  await client.hset(key, 'value', value);
  say(`Redis: a grant ${key} a reference ${await client.call('MEMORY', 'USAGE', key)} bytes, ${value.length} of JSON`);
}
await client.quit();
