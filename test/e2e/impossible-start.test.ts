/**
 * Proves that a start that cannot succeed ends by itself with one line that names the setting, whatever is wrong in the
 * file system or the network, and that a signal ends every start at any moment.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { hasRedis, NEEDS_REDIS, startRedis } from '@mcp-oauth/shared/testing/redis';
import { describe, expect, it } from 'vitest';
import { ROOT, Run } from '../support/stack.ts';

const SERVICES = ['auth-server', 'mcp-server'] as const;
const folder = mkdtempSync(join(tmpdir(), 'impossible-start-'));
const at = (name: string) => join(folder, name);
writeFileSync(at('file'), 'not a certificate');
writeFileSync(at('large'), Buffer.alloc(2 * 1024 * 1024, 'x'));
mkdirSync(at('folder'));
execFileSync('sh', ['-c', 'mkfifo "$0"', at('pipe')]);

/** Accepts connections and never answers, or answers what no Redis would. */
async function listener(greeting = '') {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(greeting);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: async () => void server.close() };
}

const start = async (service: string, env: NodeJS.ProcessEnv): Promise<Run> => {
  const [port] = await freePorts(1);
  return new Run(
    { PORT: String(port), DATA_DIR: mkdtempSync(at('data-')), LOG_LEVEL: 'silent', ...env },
    `${service}/src/main.ts`,
  );
};

/** @returns exit code and error output of Node in a folder, without any setting */
async function startIn(cwd: string, args: readonly string[]): Promise<readonly [code: number, said: string]> {
  const child = spawn(process.execPath, args, { cwd, env: { PATH: process.env.PATH } });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const [code] = await once(child, 'close');
  return [code, said];
}

async function endsWith(service: string, env: NodeJS.ProcessEnv, line: RegExp): Promise<void> {
  const { code, output } = await (await start(service, env)).ended;
  expect(output.trim().split('\n')).toEqual([expect.stringMatching(line)]);
  expect(code).toBe(1);
}

describe.concurrent.each(SERVICES)('a start of %s that cannot succeed', (service) => {
  const secret = service === 'auth-server' ? 'STORAGE_KEYS' : 'SEALING_KEYS';

  it.each([
    ['folder', /it is a folder/],
    ['pipe', /it is not a regular file/],
    ['large', /it is larger than 1048576 bytes/],
    ['/dev/zero', /it is not a regular file/],
    ['/dev/stdin', /can't be read|is empty/],
    ['/proc/self/mem', /EIO|it is larger/],
  ])('a secret file that is %s ends the start with one line', async (file, reason) => {
    const path = file.startsWith('/') ? file : at(file);
    await endsWith(service, { [`${secret}_FILE`]: path }, new RegExp(`^${service}: ${secret}: .*${reason.source}`));
  });

  it.each([
    ['folder', /it is a folder/],
    ['pipe', /it is not a regular file/],
    ['file', /contains no certificate in PEM/],
  ])('a Redis certificate authority file that is a %s ends the start with one line', async (file, reason) => {
    const env = { REDIS_URL: 'rediss://127.0.0.1:1', REDIS_CA_FILE: at(file) };
    await endsWith(service, env, new RegExp(`^${service}: REDIS_CA_FILE: .*${reason.source}`));
  });

  it('a Redis that accepts connections and never answers ends the start with one line', async () => {
    await using redis = await listener();
    const env = { REDIS_URL: `redis://127.0.0.1:${redis.port}`, REDIS_START_TIMEOUT: '3s' };
    await endsWith(service, env, new RegExp(`^${service}: REDIS_URL: not reachable \\(.+\\)$`));
  });

  it('a server that is not Redis ends the start with one line', async () => {
    await using other = await listener('HTTP/1.1 400 Bad Request\r\n\r\n');
    const env = { REDIS_URL: `redis://127.0.0.1:${other.port}`, REDIS_START_TIMEOUT: '3s' };
    await endsWith(service, env, new RegExp(`^${service}: REDIS_URL: not reachable \\(.+\\)$`));
  });

  it('an unknown Redis host, and an unreachable network, end the start with one line', async () => {
    for (const host of ['redis.invalid', '192.0.2.1']) {
      const env = { REDIS_URL: `redis://${host}`, REDIS_START_TIMEOUT: '3s' };
      await endsWith(service, env, new RegExp(`^${service}: REDIS_URL: not reachable \\(.+\\)$`));
    }
  });

  it.skipIf(!hasRedis)(
    `TLS to a Redis without it, or no TLS to one with it, ends the start ${hasRedis ? '' : NEEDS_REDIS}`,
    async () => {
      await using redis = await startRedis();
      const env = { REDIS_URL: redis.url.replace('redis:', 'rediss:'), REDIS_START_TIMEOUT: '3s' };
      await endsWith(service, env, new RegExp(`^${service}: REDIS_URL: not reachable \\(.+\\)$`));
    },
  );

  it('a port that is in use ends the start with one line, for the service and its metrics', async () => {
    await using taken = await listener();
    const port = String(taken.port);
    const used = `^${service}: port ${port} on 127.0.0.1 is already in use by another program; choose another one with`;
    await endsWith(service, { PORT: port }, new RegExp(`${used} PORT$`));
    await endsWith(service, { METRICS_PORT: port }, new RegExp(`${used} METRICS_PORT$`));
    const [own] = await freePorts(1);
    const both = { PORT: String(own), METRICS_PORT: String(own) };
    await endsWith(service, both, /in use by this service itself; choose another one with METRICS_PORT$/);
  });

  it('a signal ends the process at every moment of a start, also while it waits', async () => {
    await using redis = await listener();
    const env = { REDIS_URL: `redis://127.0.0.1:${redis.port}` };
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      for (const milliseconds of [0, 50, 150, 300, 600, 1_200]) {
        const run = await start(service, env);
        await setTimeout(milliseconds);
        const { code, output } = await run.stop(signal);
        // `null`: the process ended before any of our code ran.
        expect([0, null], output).toContain(code);
      }
    }
  });
});

describe.concurrent('a start of mcp-server with unusual tool files', () => {
  it('a tool file that is a pipe is left out and reported', async () => {
    const tools = mkdtempSync(at('tools-'));
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(tools, 'pipe.tool.ts')]);
    const run = await start('mcp-server', { TOOLS_DIR: tools, LOG_LEVEL: 'info' });
    await run.says('"msg":"ready"');
    expect((await run.stop()).output).toContain('it is not a regular file');
  });

  it.each([
    ['computes', 'for (;;);'],
    ['waits for a file', `import { readFileSync } from 'node:fs'; readFileSync(${JSON.stringify(at('pipe'))});`],
  ])('a tool file that %s and never finishes loading ends the start with one line', async (_, text) => {
    const tools = mkdtempSync(at('tools-'));
    writeFileSync(join(tools, 'endless.tool.ts'), text);
    const { code, output } = await (await start('mcp-server', { TOOLS_DIR: tools })).ended;
    expect(output.trim().split('\n')).toEqual([expect.stringMatching(/^mcp-server: the start hangs: .* TOOLS_DIR/)]);
    expect(code).not.toBe(0);
  });
});

describe.concurrent('a start of auth-server with unusable storage', () => {
  it.each(['/proc/nope', '/dev/null', at('file'), at('file/below'), '/sys/kernel', join(at('pipe'), 'x')])(
    'an unusable DATA_DIR=%s ends the start with one line',
    async (DATA_DIR) => {
      await endsWith('auth-server', { DATA_DIR }, /^auth-server: DATA_DIR: .* can't be written \(.+\)$/);
    },
  );

  it("a command without access to the server's storage ends with one line", async () => {
    const command = 'auth-server/src/main.ts clients list';
    for (const [env, line] of [
      [{ DATA_DIR: '/proc/nope' }, /^auth-server: DATA_DIR: /],
      [{ REDIS_URL: 'redis://127.0.0.1:1' }, /^auth-server: REDIS_URL: not reachable/],
    ] as const) {
      const { code, output } = await new Run(env, command).ended;
      expect(output.trim().split('\n')).toEqual([expect.stringMatching(line)]);
      expect(code).toBe(1);
    }
  });
});

describe.concurrent('npm start with impossible settings', () => {
  it('npm start names the two settings that give one port to two of its services', async () => {
    const [port] = await freePorts(1);
    const url = `http://localhost:${port}`;
    const { code, output } = await new Run({ PUBLIC_URL: url, ISSUER: url }).ended;
    expect(output.trim()).toBe(
      `npm start: ISSUER: port ${port} is for auth-server, but PUBLIC_URL uses it for mcp-server; choose another port for one of them`,
    );
    expect(code).toBe(1);
  });

  it('npm start gives METRICS_PORT to mcp-server, and the next port to auth-server', async () => {
    // The last one is reserved: it follows that of the metrics.
    const [mcp, auth, idp, metrics = 0] = await freePorts(5);
    const run = new Run({
      PUBLIC_URL: `http://localhost:${mcp}`,
      ISSUER: `http://localhost:${auth}`,
      DEVELOPMENT_IDP_URL: `http://localhost:${idp}`,
      DATA_DIR: mkdtempSync(at('data-')),
      METRICS_PORT: String(metrics),
    });
    await run.says('Ctrl-C');
    const counted = async (port: number) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(await counted(metrics)).toContain('mcp_sessions');
    expect(await counted(metrics + 1)).toContain('auth_token_requests_total');
    expect((await run.stop()).code).toBe(0);
  });

  it('npm start says in one line what to do before npm ci, or with an old Node.js', async () => {
    const copy = mkdtempSync(at('copy-'));
    execFileSync('cp', ['-r', join(ROOT, 'scripts'), join(ROOT, 'package.json'), copy]);
    const { scripts } = JSON.parse(execFileSync('cat', [join(copy, 'package.json')], { encoding: 'utf8' }));
    expect(await startIn(copy, scripts.start.split(' ').slice(1))).toEqual([
      1,
      'npm start: the packages are not installed; run npm ci first\n',
    ]);
  });

  it('npm start refuses a .env that is not a file', async () => {
    const copy = mkdtempSync(at('env-'));
    mkdirSync(join(copy, '.env'));
    expect(await startIn(copy, [join(ROOT, 'scripts/start.ts')])).toEqual([
      1,
      ".env can't be read (it is not a regular file)\n",
    ]);
  });

  it('npm start refuses a .env with a value that Node.js would take for a comment', async () => {
    const copy = mkdtempSync(at('comment-'));
    writeFileSync(join(copy, '.env'), "# A comment.\nBRAND_NAME='#1'\nSUPPORT_URL= # none\nBRAND_ACCENT=#0b7285\n");
    expect(await startIn(copy, [join(ROOT, 'scripts/start.ts')])).toEqual([
      1,
      ".env can't be read (the value of BRAND_ACCENT begins with #: write it in quotes)\n",
    ]);
  });
});
