/** Owns a process in a test that writes to a Redis stream until it is killed: `writer.ts <redis url> <writer> <key in base64>`. */
import { chainKey } from '@mcp-oauth/shared/audit/chain';
import { redisSink } from '@mcp-oauth/shared/audit/sinks/redis-sink';
import { createTrail } from '@mcp-oauth/shared/audit/trail';
import { systemClock } from '@mcp-oauth/shared/clock';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { whenReady } from '@mcp-oauth/shared/redis/ready';
import { redisUrl } from '@mcp-oauth/shared/redis/target';

const [, , url = '', writer = '', key = ''] = process.argv;
const log = createLogger(writer, 'info');
const redis = openRedis({ target: redisUrl().parse(url), name: writer, log });
await whenReady(redis);
const trail = createTrail({
  sink: redisSink(redis, 'mcp:audit', 100_000),
  key: chainKey(Buffer.from(key, 'base64')),
  writer,
  about: { service: 'test' },
  clock: systemClock,
  log,
  pace: { batch: 5, head: 20 },
});
let n = 0;
const writing = setInterval(() => {
  for (let more = 0; more < 20; more += 1) {
    n += 1;
    trail.audit({ event: 'tool.called', outcome: 'ok', who: writer, details: { n } });
  }
}, 2);
process.once('SIGTERM', () => {
  clearInterval(writing);
  trail
    .close()
    .finally(() => redis.disconnect())
    .catch(() => {});
});
