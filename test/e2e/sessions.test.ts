/**
 * Proves that an operator can end the sessions of one person on every replica, and no other sessions: two real
 * mcp-servers on a real Redis, clients of both SDKs and over HTTP+SSE, and the command line of mcp-server.
 */
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { hasRedis, NEEDS_REDIS, startRedis, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type SigningKey,
  signingKey,
  signToken,
  startIssuer,
  type TestIssuer,
} from '../../mcp-server/test/support/issuer.ts';
import { openSse } from '../support/sse-stream.ts';
import { type Ended, Run, type Stack } from '../support/stack.ts';

/** Shorter than the interval after which a replica notices by itself that a record is gone. */
const AT_ONCE = { timeout: 8_000, interval: 20 };

interface Connected {
  readonly session: string;
  /** Statuses of its GETs: the streams that it opened, and the answer when it reconnected. */
  readonly streams: readonly number[];
  call(name: string, args: object): Promise<unknown>;
  close(): Promise<void>;
}

describe.skipIf(!hasRedis)(hasRedis ? 'sessions end' : NEEDS_REDIS, () => {
  let redis: TestRedis;
  let issuer: TestIssuer;
  let key: SigningKey;
  let urls: readonly [string, string];
  let replicas: Run[] = [];
  const open: Connected[] = [];

  beforeAll(async () => {
    [redis, issuer, key] = await Promise.all([startRedis(), startIssuer(), signingKey('sessions')]);
    issuer.keys.push(key.publicJwk);
    const [first = 0, second = 0] = await freePorts(2);
    urls = [`http://localhost:${first}`, `http://localhost:${second}`];
    replicas = [first, second].map((port) => new Run({ ...settings(), PORT: String(port) }, 'mcp-server/src/main.ts'));
    await Promise.all(replicas.map((run) => run.says('"msg":"ready"')));
  });
  afterAll(async () => {
    await Promise.all(open.map((client) => client.close()));
    await Promise.all(replicas.map((run) => run.stop()));
    await issuer?.close();
    await redis?.[Symbol.asyncDispose]();
  });

  const settings = () => ({ REDIS_URL: redis.url, PUBLIC_URL: urls[0], ISSUER: issuer.url });
  const command = (words: string): Promise<Ended> =>
    new Run(settings(), `mcp-server/src/main.ts sessions ${words}`).ended;
  const listed = async (words = 'list --json'): Promise<Record<string, string>[]> =>
    JSON.parse((await command(words)).output);
  const token = (subject: string, lifetime = 600): Promise<string> => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer.url, aud: `${urls[0]}/mcp`, sub: subject, client_id: 'desk', scope: 'mcp:tools' };
    return signToken({ key, claims: { ...claims, iat: now - 1_000, exp: now + lifetime, jti: subject } });
  };
  const connect = async (kind: 'v1' | 'v2', url: string, accessToken: string): Promise<Connected> => {
    const streams: number[] = [];
    const options = {
      requestInit: { headers: { authorization: `Bearer ${accessToken}` } },
      fetch: async (input: string | URL, init?: RequestInit) => {
        const response = await fetch(input, init);
        if (init?.method === 'GET') streams.push(response.status);
        return response;
      },
    };
    const modern = new ModernTransport(new URL(`${url}/mcp`), options);
    const transport = kind === 'v2' ? modern : new StreamableHTTPClientTransport(new URL(`${url}/mcp`), options);
    const client =
      kind === 'v2'
        ? new ModernClient({ name: 'v2', version: '0' }, { versionNegotiation: { mode: 'legacy' } })
        : new Client({ name: 'v1', version: '0' });
    await client.connect(transport as Transport);
    const connected = {
      session: transport.sessionId ?? '',
      streams,
      call: (name: string, args: object) => client.callTool({ name, arguments: { ...args } }),
      close: () => client.close(),
    };
    open.push(connected);
    await expect.poll(() => streams).toEqual([200]);
    return connected;
  };
  const status = async (url: string, { session }: Connected, accessToken: string): Promise<number> => {
    const answer = await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${accessToken}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-session-id': session,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 'probe', method: 'tools/list' }),
    });
    await answer.text();
    return answer.status;
  };

  it('MCP 2025-11-25 "Session Management": sessions end ends a person\'s sessions on every replica, and no others', async () => {
    const [here, there] = urls;
    const [ada, bob] = await Promise.all([token('ada'), token('bob')]);
    const hers = [await connect('v1', here, ada), await connect('v2', there, ada)];
    const his = [await connect('v1', here, bob), await connect('v2', there, bob)];
    const sse = await openSse({ mcpUrl: there } as Stack, ada);
    const streamEnd = sse.next().catch((error: Error) => error.message);
    const calls = hers.map((client) =>
      client.call('countdown', { from: 60, interval_ms: 5_000 }).catch(() => 'failed'),
    );
    expect((await listed('list --json --subject ada')).map(({ id }) => id)).toEqual(
      expect.arrayContaining(hers.map(({ session }) => session)),
    );
    expect(await listed()).toHaveLength(5);
    // Each replica has read each record by now, and would answer from its copy.
    for (const url of urls) for (const client of hers) expect(await status(url, client, ada)).toBe(200);

    expect(await command('end --subject ada')).toEqual({ code: 0, output: 'Ended 3 sessions.\n' });

    await expect.poll(() => hers.map(({ streams }) => streams.at(-1)), AT_ONCE).toEqual([404, 404]);
    expect(await Promise.race([streamEnd, timeout()])).toBe('the stream ended');
    // They would take five minutes. A client whose call had lasted long enough to get a stream resumes that for some seconds first.
    expect(await Promise.all(calls)).toEqual(['failed', 'failed']);
    for (const url of urls) for (const client of hers) expect(await status(url, client, ada)).toBe(404);
    for (const client of hers) await expect(client.call('echo', { message: 'here?' })).rejects.toThrow(/not found/i);

    for (const client of his) {
      await client.call('echo', { message: 'still here' });
      expect(client.streams).toEqual([200]);
    }
    expect((await listed()).map(({ subject }) => subject)).toEqual(['bob', 'bob']);
  });

  it('RFC 6750 §3.1 a client returns with a valid token only', async () => {
    await connect('v1', urls[1], await token('ada'));
    const late = await token('ada', -100);
    await expect(connect('v1', urls[0], late)).rejects.toThrow(/expired|401|unauthorized/i);
    expect(await listed('list --json --subject ada')).toHaveLength(1);
  });

  it('sessions end ends one session by its id, or all of them', async () => {
    const one = await connect('v1', urls[0], await token('cyd'));
    expect((await command(`end -- ${one.session}`)).output).toBe('Ended 1 session.\n');
    await expect.poll(() => one.streams, AT_ONCE).toEqual([200, 404]);
    expect((await command(`end -- ${one.session}`)).code).toBe(1);
    expect((await command('end --all')).code).toBe(0);
    expect((await command('list')).output).toBe('There are no sessions.\n');
    await expect.poll(() => open.every(({ streams }) => streams.at(-1) === 404), AT_ONCE).toBe(true);
  });
});

const timeout = (): Promise<string> => new Promise((resolve) => setTimeout(() => resolve('too late'), AT_ONCE.timeout));
