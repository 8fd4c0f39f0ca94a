/** Owns the servers of the bench, each a process of its own pinned to one core: bare oidc-provider, and auth-server on each storage. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedis } from '@mcp-oauth/shared/testing/redis';
import { Person } from '../e2e/person.ts';
import { freePorts, ROOT } from '../e2e/stack.ts';
import { CLIENT_ID, MACHINE_ID, MACHINE_SECRET, REDIRECT_URI, RESOURCE, VERIFIER } from './parties.ts';

export interface Server extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  /** Authorization codes as a client has them after a sign-in. */
  mint(count: number): Promise<string[]>;
}

/** Where there are two cores, the server under load has one to itself; everything else has the other. */
const CORES = { server: '0', rest: '1' } as const;
const canPin = spawnSync('taskset', ['--version']).status === 0 && availableParallelism() > 1;
const pinned = (core: string): readonly string[] => (canPin ? ['taskset', '-c', core] : []);

/** The load comes from this very process. */
export function leaveServerAlone(): void {
  if (canPin) spawnSync('taskset', ['-a', '-p', '-c', CORES.rest, String(process.pid)]);
}

/** Codes that are fetched at a time. */
const AT_ONCE = 25;

/** A server of a bench on the core of its own; `said` is its first message. */
export const startProgram = <T>(program: string, args: readonly string[]) => run<T>(program, args, {});

async function run<T>(program: string, args: readonly string[], env: NodeJS.ProcessEnv, core: string = CORES.server) {
  const [command = '', ...rest] = [...pinned(core), process.execPath, program, ...args];
  const child = spawn(command, rest, {
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...env },
    // Somebody reads the log; that it is ready it says beside it.
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const said = await new Promise<T>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code}`)));
    child.once('message', (message) => resolve(message as T));
    child.stdout?.resume();
  });
  return {
    said,
    pid: child.pid ?? 0,
    stop: (): Promise<void> =>
      new Promise((resolve) => {
        child.removeAllListeners('exit').once('exit', () => resolve());
        child.kill();
      }),
  };
}

export async function startBare(): Promise<Server> {
  const [port = 0] = await freePorts(1);
  const program = await run('test/bench/bare-provider.ts', [String(port)], {});
  return {
    name: 'oidc-provider, Map',
    port,
    pid: program.pid,
    mint: async (count) => (await fetch(`http://127.0.0.1:${port}/mint?count=${count}`)).json() as Promise<string[]>,
    [Symbol.asyncDispose]: () => program.stop(),
  };
}

const CLIENTS = [
  { client_id: CLIENT_ID, redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' },
  {
    client_id: MACHINE_ID,
    client_secret: MACHINE_SECRET,
    grant_types: ['client_credentials'],
    token_endpoint_auth_method: 'client_secret_basic',
  },
];

/** auth-server as it is shipped: its log, its limits (set out of the way), its encryption. */
export async function startOurs(storage: 'Redis' | 'SQLite', logLevel: 'info' | 'warn' = 'info'): Promise<Server> {
  const [port = 0, idpPort = 0] = await freePorts(2);
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  writeFileSync(join(folder, 'clients.json'), JSON.stringify(CLIENTS));
  const redis = storage === 'Redis' ? await startRedis() : undefined;
  const issuer = `http://localhost:${port}`;
  const env = {
    ISSUER: issuer,
    DEVELOPMENT_IDP_URL: `http://localhost:${idpPort}`,
    DATA_DIR: folder,
    CLIENTS_FILE: join(folder, 'clients.json'),
    AUTHORIZATION_LIMIT: '1000000',
    LOG_LEVEL: 'info',
    STORAGE_KEYS: Buffer.alloc(32, 7).toString('base64'),
    RESOURCES: JSON.stringify([{ url: new URL(RESOURCE).origin, scopes: { 'mcp:tools': 'Use the tools' } }]),
    ...(redis && { REDIS_URL: redis.url }),
  };
  const idp = await run('development-idp/src/main.ts', [], env, CORES.rest);
  const program = await run('auth-server/src/main.ts', [], { ...env, LOG_LEVEL: logLevel });
  return {
    name: `auth-server, ${storage}${logLevel === 'warn' ? ', no log' : ''}`,
    port,
    pid: program.pid,
    mint: await minting(issuer),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([program.stop(), idp.stop()]);
      await redis?.[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

/** One person, signed in once, whose approval is remembered: each authorization request answers with a code. */
async function minting(issuer: string): Promise<Server['mint']> {
  const person = new Person();
  const url = new URL('/authorize', issuer);
  url.search = new URLSearchParams({
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
    code_challenge_method: 'S256',
    resource: RESOURCE,
    scope: 'mcp:tools',
  }).toString();
  await person.signIn(url, REDIRECT_URI);
  const one = async () => {
    const answer = await person.open(url, REDIRECT_URI);
    const code = answer instanceof URL ? answer.searchParams.get('code') : undefined;
    if (!code) throw new Error('the approval is not remembered');
    return code;
  };
  return async (count) => {
    const codes: string[] = [];
    while (codes.length < count) codes.push(...(await Promise.all(Array.from({ length: AT_ONCE }, one))));
    return codes.slice(0, count);
  };
}
