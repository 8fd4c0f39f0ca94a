/** Proves that several auth-servers on one Redis redeem ID-JAGs like one: one grant, which ends at all of them. */
import { systemClock } from '@mcp-oauth/shared/clock';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { hasRedis, NEEDS_REDIS, startRedis } from '@mcp-oauth/shared/testing/redis';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { expect, it } from 'vitest';
import { grantsCommands } from '../../src/cli/grants/grants.ts';
import { createRedisDirectory } from '../../src/storage/directory/redis.ts';
import { createRedisStore } from '../../src/storage/redis.ts';
import { createRedisStatusStore } from '../../src/storage/status/redis.ts';
import { commandsOn } from '../support/command-store.ts';
import { startEnterprise } from '../support/enterprise.ts';
import { read } from '../support/running-server.ts';
import { isMarkedInStore, referenceOf } from '../support/token-status.ts';

it.skipIf(!hasRedis)(
  `the first ID-JAGs of a person at two replicas give one grant, and its end is that of all (${NEEDS_REDIS})`,
  async () => {
    await using redis = await startRedis();
    const open = async () => {
      const client = openRedis({
        target: redisUrl().parse(redis.url),
        name: 'test',
        log: createLogger('test', 'silent'),
      });
      return {
        store: await createRedisStore(client),
        statusStore: await createRedisStatusStore(client),
        directory: createRedisDirectory(client, systemClock),
      };
    };
    const stores = await open();
    await using one = await startEnterprise({}, stores);
    const idp = { CONNECTOR_OKTA_ISSUER: one.idp.url, ENTERPRISE_ISSUER_OKTA_ISSUER: one.idp.url };
    await using two = await startEnterprise(idp, await open());
    const unused = await one.idJag();
    const answers = await Promise.all(
      [one, two, one, two].map(async ({ present }) => read(await present(await one.idJag()))),
    );
    const [grant, ...others] = (await stores.directory.list()).items;
    expect(others).toEqual([]);
    const commands = grantsCommands(commandsOn({ ...stores, clock: systemClock }));
    await run(commands, `end -- ${grant?.id}`, { NODE_ENV: 'test' });
    for (const { access_token: access } of answers) {
      expect(await isMarkedInStore(stores.statusStore, referenceOf(access))).toBe(true);
    }
    for (const { refused } of [one, two]) {
      expect(await refused(unused)).toMatchObject({ error: 'invalid_grant', reason: expect.stringContaining('ended') });
    }
  },
);
