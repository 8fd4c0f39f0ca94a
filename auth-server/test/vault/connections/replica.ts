/**
 * Owns a process in a test that asks for the token of one connection many times at once, when it is told to on its standard input:
 * `replica.ts <redis url> <upstream url> <storage key in base64> <account id>`.
 */
import { once } from 'node:events';
import { systemClock } from '@mcp-oauth/shared/clock';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { whenReady } from '@mcp-oauth/shared/redis/ready';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import github from '../../../src/connectors/github.connector.ts';
import { createAccounts } from '../../../src/federation/account.ts';
import type { ToolAccess } from '../../../src/federation/connector.ts';
import { createRedisStore } from '../../../src/storage/redis.ts';
import { createSealedStore } from '../../../src/storage/sealed.ts';
import { createConnections } from '../../../src/vault/connections/connections.ts';
import { createVault } from '../../../src/vault/vault.ts';

const [, , redisAt = '', upstream = '', key = '', accountId = ''] = process.argv;
const LIFETIME = 3_600;
const redis = openRedis({ target: redisUrl().parse(redisAt), name: 'test', log: createLogger('test', 'silent') });
await whenReady(redis);
const store = createSealedStore(await createRedisStore(redis), [Buffer.from(key, 'base64')]);
const callbackUrl = 'https://auth.example/callback/github';
const { tools } = github.open(
  { clientId: 'client', clientSecret: 'secret', baseUrl: upstream, apiUrl: upstream, timeout: 10 },
  { callbackUrl, fetch },
);
const connections = createConnections({
  vault: createVault(store, { clock: systemClock, lifetime: LIFETIME }),
  clock: systemClock,
  accounts: createAccounts(store, LIFETIME),
  tools: [{ id: 'github', title: 'GitHub', access: tools as ToolAccess, scopes: [], callbackUrl }],
  deadline: (seconds) => AbortSignal.timeout(seconds * 1000),
  onFailure: () => {},
});
process.stdout.write('ready\n');
await once(process.stdin, 'data');
const asked = Array.from({ length: 10 }, () => connections.token({ connector: 'github', accountId }, { scopes: [] }));
const found = await Promise.all(asked);
process.stdout.write(`${JSON.stringify(found)}\n`);
process.exit();
