/** Owns the measured costs of auth-server on Redis: of a sign-in, a refresh and a token of a machine, and what each leaves in Redis. */
import { operatorOf } from '@mcp-oauth/shared/testing/redis';
import { Person } from '../../support/person.ts';
import { type Call, load, type Reply } from '../load.ts';
import { CLIENT_ID, MACHINE_ID, MACHINE_SECRET, REDIRECT_URI, VERIFIER } from '../parties.ts';
import { authorizationUrl, type Server, startOurs } from '../servers.ts';
import { type Cost, Meter } from './meter.ts';

const SIGN_INS = 300;
/** Number of sign-ins at the same time. */
const AT_ONCE = 10;
const REFRESHES = 4_000;
const CONNECTIONS = 50;

/** Keys of one kind of record, and the bytes that each takes, with its place in the table of keys. */
interface KeyKind {
  readonly kind: string;
  readonly keys: number;
  readonly bytesEach: number;
}

export interface AuthMeasurement {
  readonly costs: Readonly<Record<string, Cost>>;
  readonly commands: Readonly<Record<string, readonly string[]>>;
  /** What so many sign-ins left, and so many refreshes after them. */
  readonly afterSignIns: readonly KeyKind[];
  readonly afterRefreshes: readonly KeyKind[];
  readonly signIns: number;
  readonly refreshes: number;
}

const token = (fields: Record<string, string>, headers: Record<string, string> = {}): Call => ({
  path: '/token',
  method: 'POST',
  body: new URLSearchParams(fields).toString(),
  headers,
});

const redemption = (code: string): Call =>
  token({
    ...{ grant_type: 'authorization_code', client_id: CLIENT_ID, redirect_uri: REDIRECT_URI },
    ...{ code_verifier: VERIFIER, code },
  });

const refreshing = (refreshToken: string): Call =>
  token({ grant_type: 'refresh_token', client_id: CLIENT_ID, refresh_token: refreshToken });

const machine = token(
  { grant_type: 'client_credentials', scope: 'mcp:tools' },
  { authorization: `Basic ${btoa(`${MACHINE_ID}:${MACHINE_SECRET}`)}` },
);

async function send({ port }: Server, { path, body, headers }: Call): Promise<{ readonly refresh_token: string }> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
    ...(body && { body }),
  });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json() as Promise<{ refresh_token: string }>;
}

/** The whole sign-in of somebody with a new browser, up to the tokens. @returns the refresh token */
async function signIn(server: Server): Promise<string> {
  const back = await new Person().signIn(authorizationUrl(`http://localhost:${server.port}`), REDIRECT_URI);
  const code = back.searchParams.get('code');
  if (!code) throw new Error(`the sign-in ended at ${back}`);
  return (await send(server, redemption(code))).refresh_token;
}

async function signInAll(server: Server, count: number): Promise<string[]> {
  const tokens: string[] = [];
  const one = async () => {
    while (tokens.length < count) tokens.push(await signIn(server));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return tokens;
}

/** Each connection continues with the refresh token that it got last. @returns the number of refreshes */
async function refreshAll(server: Server, tokens: string[], total: number): Promise<number> {
  const { requests } = await load(server.port, server.pid, (connection) => {
    let left = total / CONNECTIONS;
    return (last: Reply | undefined) => {
      if (last) tokens[connection] = JSON.parse(last.text).refresh_token;
      return left-- > 0 ? refreshing(tokens[connection] ?? '') : undefined;
    };
  });
  return requests;
}

const machineTokens = async (server: Server, total: number): Promise<number> => {
  const { requests } = await load(server.port, server.pid, () => {
    let left = total / CONNECTIONS;
    return () => (left-- > 0 ? machine : undefined);
  });
  return requests;
};

/** `as:v1:alias:Session:…` is of the kind `alias:Session`. */
function kindOf(key: string): string {
  const [, , kind = '', part = ''] = key.split(':');
  return ['alias', 'grants', 'limit'].includes(kind) ? `${kind}:${part}` : kind;
}

async function kinds(url: string): Promise<KeyKind[]> {
  const redis = operatorOf(url);
  const sizes = new Map<string, number[]>();
  for await (const batch of redis.scanStream({ count: 500 })) {
    const keys = batch as string[];
    const bytes = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)));
    for (const [n, key] of keys.entries()) {
      const kind = kindOf(key);
      sizes.set(kind, [...(sizes.get(kind) ?? []), bytes[n] ?? 0]);
    }
  }
  redis.disconnect();
  return [...sizes].map(([kind, all]) => ({
    kind,
    keys: all.length,
    bytesEach: Math.round(all.reduce((sum, size) => sum + size, 0) / all.length),
  }));
}

export async function measureAuth(): Promise<AuthMeasurement> {
  await using server = await startOurs('Redis');
  const url = server.redisUrl ?? '';
  const meter = new Meter(url, [server.pid]);
  await signInAll(server, 50);
  const tokens: string[] = [];
  const signedIn = await meter.measure(async () => {
    tokens.push(...(await signInAll(server, SIGN_INS)));
    return tokens.length;
  });
  const afterSignIns = await kinds(url);
  await refreshAll(server, tokens, REFRESHES / 2);
  const refreshed = await meter.measure(() => refreshAll(server, tokens, REFRESHES));
  const afterRefreshes = await kinds(url);
  await machineTokens(server, REFRESHES / 2);
  const machines = await meter.measure(() => machineTokens(server, REFRESHES));
  const commands = {
    signIn: await meter.sentDuring(() => signIn(server)),
    refresh: await meter.sentDuring(() => send(server, refreshing(tokens[0] ?? ''))),
    machineToken: await meter.sentDuring(() => send(server, machine)),
  };
  meter.close();
  return {
    costs: { signIn: signedIn, refresh: refreshed, machineToken: machines },
    commands,
    afterSignIns,
    afterRefreshes,
    signIns: tokens.length + 50,
    refreshes: REFRESHES * 1.5,
  };
}
