/**
 * Proves that a body which is refused before its end does not block the connection: a proxy sends the requests of other people over
 * the same one (RFC 9112 §9.3).
 */
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LogoutUpstream, startLogoutUpstream } from '../support/logout-upstream.ts';
import { type RunningServer, startServer } from '../support/running-server.ts';

let upstream: LogoutUpstream;
let server: RunningServer;
beforeAll(async () => {
  upstream = await startLogoutUpstream();
  server = await startServer({ connectors: upstream.connectors });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

/** One request over the connection of the agent. @returns its status */
const send = (agent: Agent, method: string, path: string, type?: string, body?: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.address);
    const headers = { host: new URL(server.issuer).host, ...(type && { 'content-type': type }) };
    const sent = request({ agent, hostname, port, method, path, headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    });
    sent.once('error', reject);
    // Without a length it is sent in chunks, so the server learns its size while it reads.
    if (body !== undefined) sent.write(body);
    sent.end();
  });

const FORM = 'application/x-www-form-urlencoded';

describe('a body in chunks that is too large', () => {
  it.each([
    ['/backchannel-logout/acme', FORM],
    ['/callback/acme', FORM],
    ['/token', FORM],
    ['/register', 'application/json'],
  ])('the next request on the connection is answered after one to %s', async (path, type) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      expect([400, 413]).toContain(await send(agent, 'POST', path, type, 'x'.repeat(3_000_000)));
      expect(await send(agent, 'GET', '/livez')).toBe(200);
    } finally {
      agent.destroy();
    }
  });
});
