/**
 * Proves on a real engine that docker compose serves, scales, updates and fails over as README says: its exact
 * commands, under load from clients that must not notice.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { Composed } from './composed.ts';
import { Households } from './households.ts';
import { print, type Report, type Sizes, underLoad } from './load.ts';
import { commandsUnder, composeCommand } from './readme.ts';

const SIZES: Sizes = { sessions: 30, stateless: 10, announcements: 60 };
const PEOPLE = 6;

/** Milliseconds until the gateway follows a change of a container. */
const A_MOMENT = 2_000;
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('docker compose', () => {
  // The tools of the failover tests: one runs for a while, one announces a change to every client.
  const tools = { COMPOSE_FILE: 'docker-compose.yml:deploy/compose/tools.yml', TOOLS_DIR: './test/failover/tools' };
  const composed = new Composed('mcp-oauth-survival', tools);
  let people: Households;

  const load = async (what: string, disturb: () => Promise<unknown>): Promise<Report> => {
    const report = await underLoad({ url: composed.url, people, sizes: SIZES }, disturb);
    print(what, report);
    return report;
  };

  beforeAll(async () => {
    await composed.sh(composeCommand(/up .*--wait$/));
    people = await Households.move(composed.url, PEOPLE);
  }, 300_000);
  afterAll(() => composed[Symbol.asyncDispose](), 120_000);

  const survives = (title: string, test: () => Promise<void>) =>
    it(title, async () => {
      onTestFailed(async () => {
        process.stderr.write(await composed.logs());
      });
      await test();
    });

  survives('scaling 1 → 3 → 1 → 3 fails no call', async () => {
    const scale = composeCommand(/up -d --scale mcp-server=3/);
    const to = (replicas: number) => composed.sh(scale.replace(/mcp-server=3/, `mcp-server=${replicas}`));
    const report = await load('scaled 1 → 3 → 1 → 3', async () => {
      for (const replicas of [3, 1, 3]) {
        await to(replicas);
        await pause(A_MOMENT);
        expect(await composed.containers('mcp-server')).toHaveLength(replicas);
      }
    });
    expect(report.failures).toEqual([]);
    expectNothingLost(report);
    expect(await composed.containers('auth-server')).toHaveLength(2);
  });

  /** Another version of both services, until the next build. */
  const change = () => {
    for (const file of [
      'mcp-server/src/compose/compose.ts',
      'auth-server/src/compose/compose.ts',
      'shared/src/clock.ts',
    ]) {
      appendFileSync(join(composed.folder, file), '\n// changed\n');
    }
  };
  const replicas = async () => [
    ...(await composed.containers('mcp-server')),
    ...(await composed.containers('auth-server')),
  ];
  const idsOfReplicas = async () =>
    Promise.all((await replicas()).map((name) => composed.inspect<string>(name, '.Id')));

  survives('rebuilding both services under load fails no call', async () => {
    change();
    let built = 0;
    const before = await idsOfReplicas();
    const report = await load('rebuilt and replaced', async () => {
      const began = performance.now();
      await composed.compose('build');
      built = performance.now() - began;
      await composed.sh(composeCommand(/up -d --build --scale/));
      await pause(A_MOMENT);
    });
    process.stdout.write(`    a build after a change of the sources took ${(built / 1000).toFixed(1)} s\n`);
    expect(report.failures).toEqual([]);
    expectNothingLost(report);
    const after = await idsOfReplicas();
    expect(after).toHaveLength(5);
    expect(after.filter((id) => before.includes(id))).toEqual([]);
  });

  survives('a new version starts beside the old one, which is then removed', async () => {
    change();
    const before = await idsOfReplicas();
    const commands = commandsUnder('A new version', 'docs/deployment.md');
    expect(commands).toHaveLength(5);
    expect(commands[0], "README's").toBe(composeCommand(/up -d --build --scale/));
    const report = await load('a new version beside the old one', async () => {
      await composed.sh(commands.slice(1, 4).join('\n'));
      await pause(A_MOMENT);
    });
    expect(report.failures).toEqual([]);
    expectNothingLost(report);
    const after = await idsOfReplicas();
    expect(after).toHaveLength(5);
    expect(after.filter((id) => before.includes(id))).toEqual([]);
  });

  survives('the old version keeps serving when the new one does not start', async () => {
    const broken = join(composed.folder, 'mcp-server/src/compose/compose.ts');
    const works = readFileSync(broken);
    appendFileSync(broken, "\nthrow new Error('broken');\n");
    const before = await idsOfReplicas();
    const [, old = '', beside = '', , away = ''] = commandsUnder('A new version', 'docs/deployment.md');
    const report = await load('a new version that is broken', async () => {
      await expect(composed.sh(`${old}\n${beside}`)).rejects.toThrow(/mcp-server-\d+ is unhealthy/);
      await composed.sh(away);
    });
    writeFileSync(broken, works);
    expect(report.failures).toEqual([]);
    expectNothingLost(report);
    expect(await idsOfReplicas()).toEqual(before);
  });

  survives('killing a mcp-server loses its calls in flight and nothing else', async () => {
    let killed = 0;
    const report = await load('a mcp-server is killed', async () => {
      const [victim = ''] = await composed.containers('mcp-server');
      const began = performance.now();
      await composed.docker('kill', victim);
      killed = performance.now() - began;
      await pause(A_MOMENT);
      await composed.docker('start', victim);
      await pause(A_MOMENT);
    });
    // Time before the command, the time of the command, and time for the clients to notice.
    for (const { began } of report.failures) expect(began).toBeLessThan(1_000 + killed + 500);
    expect(report.failures.length).toBeLessThan(SIZES.sessions + SIZES.stateless);
    expectNothingLost(report, true);
  });

  survives('killing an auth-server signs nobody out', async () => {
    const report = await load('an auth-server is killed', async () => {
      const [victim = ''] = await composed.containers('auth-server');
      await composed.docker('kill', victim);
      await pause(A_MOMENT);
      await composed.docker('start', victim);
      await pause(A_MOMENT);
    });
    expect(report.failures).toEqual([]);
    expectNothingLost(report);
  });

  survives('killing either Redis loses no session and signs nobody out', async () => {
    for (const service of ['redis', 'redis-authorization']) {
      const report = await load(`${service} is killed`, async () => {
        const [redis = ''] = await composed.containers(service);
        await composed.docker('kill', redis);
        await pause(A_MOMENT);
        await composed.docker('start', redis);
        await pause(A_MOMENT);
      });
      expect(report.failures).toEqual([]);
      expectNothingLost(report, true);
    }
  });

  survives('calls wait for a paused container, and then succeed', async () => {
    for (const service of ['mcp-server', 'auth-server', 'redis', 'redis-authorization']) {
      const report = await load(`${service} is paused for 3 s`, async () => {
        const [stuck = ''] = await composed.containers(service);
        await composed.docker('pause', stuck);
        await pause(3_000);
        await composed.docker('unpause', stuck);
        await pause(A_MOMENT);
      });
      expect(report.failures).toEqual([]);
      expectNothingLost(report, true);
    }
  });

  survives('calls avoid a mcp-server that is off the network', async () => {
    const report = await load('a mcp-server is off the network', async () => {
      const [lost = ''] = await composed.containers('mcp-server');
      const network = `${composed.project}_front`;
      await composed.docker('network', 'disconnect', network, lost);
      await pause(4_000);
      await composed.docker('network', 'connect', '--alias', 'mcp-server', network, lost);
      await pause(A_MOMENT);
    });
    expectNothingLost(report, true);
  });

  survives('sessions and sign-ins survive down and up', async () => {
    await composed.compose('down');
    await composed.sh(composeCommand(/up .*--wait$/));
    const before = people.signedOut.length;
    await people.refreshAll();
    expect(people.signedOut.slice(before)).toEqual([]);
    const report = await load('after down and up', () => pause(1_000));
    expect(report.failures).toEqual([]);
    expectNothingLost(report);
  });
});

/** What must hold after every disturbance. */
function expectNothingLost({ signedOut, lost, doubled, again, announced, calls }: Report, unplanned = false): void {
  expect(calls).toBeGreaterThan(50);
  expect(announced).toBeGreaterThan(2);
  expect({ signedOut, lost, doubled }).toEqual({ signedOut: [], lost: 0, doubled: 0 });
  expect(again).toBeLessThanOrEqual(unplanned ? SIZES.sessions : 0);
}
