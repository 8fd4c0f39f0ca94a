/** Owns the servers of `bench:token`: bare oidc-provider, and auth-server on each storage. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { startRedis } from '@mcp-oauth/shared/testing/redis';
import { Person } from '../support/person.ts';
import { CLIENT_ID, MACHINE_ID, MACHINE_SECRET, REDIRECT_URI, RESOURCE, VERIFIER } from './parties.ts';
import { runProgram } from './program.ts';
import type { Listener } from './wire.ts';

export interface Server extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  readonly redisUrl?: string;
  /** Authorization codes as a client has them after a sign-in. */
  mint(count: number): Promise<string[]>;
}

/** A server that others may share the storage of. */
interface OurServer extends Server {
  /** Starts another auth-server with the same storage and settings, on the core of the load. */
  replica(): Promise<Listener & AsyncDisposable>;
}

/** Number of codes that are fetched concurrently. */
const AT_ONCE = 25;

export async function startBare(): Promise<Server> {
  const [port = 0] = await freePorts(1);
  const program = await runProgram('test/bench/bare-provider.ts', { args: [String(port)] });
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

export interface Choice {
  /** Whether an audit is written to a file. */
  readonly audit?: boolean;
  /** Arguments of Node before the program. */
  readonly flags?: readonly string[];
  /** Clients and settings besides those of every bench. */
  readonly clients?: readonly object[];
  readonly env?: Readonly<Record<string, string>>;
  /** The tree that it is in; absent: this one. */
  readonly root?: string;
}

/** auth-server as it is shipped, with log, metrics, status list and encryption; its limits are too high to be reached. */
export async function startOurs(
  storage: 'Redis' | 'SQLite',
  { audit = false, flags = [], root, clients = [], env: more = {} }: Choice = {},
): Promise<OurServer> {
  const [port = 0, idpPort = 0, metricsPort = 0] = await freePorts(3);
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  writeFileSync(join(folder, 'clients.json'), JSON.stringify([...CLIENTS, ...clients]));
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
    ...(audit && {
      AUDIT: 'file',
      AUDIT_FILE: join(folder, 'audit.jsonl'),
      AUDIT_KEY: Buffer.alloc(32, 7).toString('base64'),
    }),
    ...more,
  };
  const idp = await runProgram('development-idp/src/main.ts', { env: { ...env, AUDIT: 'off' }, core: 'rest' });
  const run = (ports: Readonly<Record<string, string>>, core: 'server' | 'rest' = 'server') =>
    runProgram('auth-server/src/main.ts', {
      env: { ...env, ...ports },
      flags,
      core,
      ...(root !== undefined && { root }),
    });
  const program = await run({ METRICS_PORT: String(metricsPort) });
  return {
    name: `auth-server, ${storage}${audit ? ', audit' : ''}`,
    port,
    pid: program.pid,
    ...(redis && { redisUrl: redis.url }),
    mint: await minting(issuer),
    replica: async () => {
      const [own = 0, metrics = 0] = await freePorts(2);
      const { pid, stop } = await run({ PORT: String(own), METRICS_PORT: String(metrics) }, 'rest');
      return { port: own, pid, [Symbol.asyncDispose]: stop };
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([program.stop(), idp.stop()]);
      await redis?.[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

export function authorizationUrl(issuer: string): URL {
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
  return url;
}

/**
 * One person who has signed in once and whose approval is remembered: each authorization request answers with a code.
 */
async function minting(issuer: string): Promise<Server['mint']> {
  const person = new Person();
  const url = authorizationUrl(issuer);
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
