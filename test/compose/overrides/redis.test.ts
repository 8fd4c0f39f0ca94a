/**
 * Proves on a real engine that every form of Redis works: Sentinel and a Cluster survive the loss of a primary, and the
 * operator may bring their own server.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Composed } from '../composed.ts';
import { print } from '../figures.ts';
import { BUILDING, ENDING, filesOf, UP } from './set-up.ts';
import { Visitor } from './visitor.ts';

/** Maximum seconds for the loss of a primary: detection, election, promotion. */
const LOSS = 30;

const told = (what: string, seconds: number): void => {
  print(what, `served again after ${seconds.toFixed(1)} s, nobody signed out`);
};

const HEALTH = 'redis-cli --user health --pass none --no-auth-warning';

describe.each([
  {
    name: 'redis-sentinel',
    primary: 'redis',
    takeover: 'redis-sentinel-1 redis-cli -p 26379 sentinel failover records',
    witnesses: [1, 2, 3].map((n) => `redis-sentinel-${n} redis-cli -p 26379 info sentinel`),
    redundant: /slaves=1,sentinels=3/,
  },
  {
    name: 'redis-cluster',
    primary: 'redis-1',
    takeover: 'redis-4 redis-cli --user mcp-server --pass development-only-mcp-server cluster failover',
    witnesses: [4, 5, 6].map((n) => `redis-${n} ${HEALTH} info replication`),
    redundant: /role:slave[\s\S]*master_link_status:up/,
  },
])('$name of deploy/compose', ({ name, primary, takeover, witnesses, redundant }) => {
  const composed = new Composed(`mcp-oauth-${name}`, { COMPOSE_FILE: filesOf(name) });
  let visitor: Visitor;
  const killed = async (service: string) => {
    const [container = ''] = await composed.containers(service);
    await composed.docker('kill', container);
    return visitor.untilServed();
  };

  beforeAll(() => composed.sh(UP), BUILDING);
  afterAll(() => composed[Symbol.asyncDispose](), ENDING);

  const ask = (question: string) => composed.compose('exec', '-T', ...question.split(' '));

  it('Redis is up only when it has its redundancy', async () => {
    for (const witness of witnesses) expect(await ask(witness), witness).toMatch(redundant);
  });

  it('both services serve as soon as Redis is up, with two replicas each', async () => {
    await composed.sh(`${UP} --scale mcp-server=2 --scale auth-server=2`);
    visitor = await Visitor.arrive(composed.url);
    expect(await visitor.works()).toBe(true);
  });

  it("a service's Redis user may not decide which Redis is primary", async () => {
    expect(await ask(takeover)).toContain('NOPERM');
  });

  it('the loss of the primary ends no session and signs nobody out', async () => {
    const seconds = await killed(primary);
    told(`${name}: primary killed`, seconds);
    expect(seconds).toBeLessThan(LOSS);
  });

  it('the redundancy is restored when the lost Redis is back', async () => {
    await composed.sh(UP);
    const replication = () => ask(`${primary} ${HEALTH} info replication`);
    await expect.poll(replication, { timeout: 2 * LOSS * 1000 }).toMatch(/role:slave[\s\S]*master_link_status:up/);
    expect(await visitor.works()).toBe(true);
  });

  it('all data is kept over down and up, although all addresses change', async () => {
    await composed.sh('docker compose down');
    await composed.sh(UP);
    expect(await visitor.untilServed()).toBeLessThan(LOSS);
  });
});

describe('deploy/compose/redis-external.yml', () => {
  const composed = new Composed('mcp-oauth-redis-external', {
    COMPOSE_FILE: filesOf('redis-external'),
    REDIS_URL: 'redis://redis.example:6379',
    SECRETS_DIR: './secrets',
  });
  const redis = `${composed.project}-theirs`;

  beforeAll(async () => {
    await composed.sh('mkdir secrets && for s in auth mcp; do echo a-password > secrets/redis-$s-server; done');
    await composed.sh(UP.replace(' --wait', ''));
  }, BUILDING);
  afterAll(async () => {
    await composed.docker('rm', '--force', '--volumes', redis);
    await composed[Symbol.asyncDispose]();
  }, ENDING);

  it("the services wait for the operator's own Redis, and then serve", async () => {
    const network = ['--network', `${composed.project}_front`, '--network-alias', 'redis.example'];
    const command = ['redis-server', '--appendonly', 'yes', '--requirepass', 'a-password'];
    await composed.docker('run', '-d', '--name', redis, ...network, 'redis:8', ...command);
    await composed.sh(UP);
    expect(await composed.containers('redis')).toEqual([]);
    const visitor = await Visitor.arrive(composed.url);
    expect(await visitor.works()).toBe(true);
    expect(
      await composed.docker('exec', redis, 'redis-cli', '--no-auth-warning', '-a', 'a-password', 'dbsize'),
    ).not.toBe('0');
    await composed.docker('restart', redis);
    expect(await visitor.untilServed()).toBeLessThan(LOSS);
  });
});
