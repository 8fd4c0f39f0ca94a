/**
 * Proves that a change of the Redis primary behind one address loses nothing: the old primary becomes a replica while
 * its connections stay open, as in a managed failover behind a TCP load balancer.
 */
import { hasRedis, NEEDS_REDIS, startRedis, type TestRedis, tell } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Stack } from '../support/stack.ts';
import { type Forwarder, startForwarder } from './forwarder.ts';

const CLIENT = { client_id: 'job', client_secret: 'secret-of-the-job', grant_types: ['client_credentials'] };

describe.skipIf(!hasRedis)(
  `a Redis that is demoted while its connections stay open ${hasRedis ? '' : NEEDS_REDIS}`,
  () => {
    let servers: readonly [TestRedis, TestRedis];
    let address: Forwarder;
    let stack: Stack;

    beforeAll(async () => {
      servers = [await startRedis(), await startRedis()];
      address = await startForwarder(portOf(servers[0]));
      await tell(servers[1], 'REPLICAOF', '127.0.0.1', String(portOf(servers[0])));
      await vi.waitFor(async () => expect(await tell(servers[1], 'INFO')).toContain('master_link_status:up'), 60_000);
      stack = await Stack.start({ REDIS_URL: `redis://127.0.0.1:${address.port}`, CLIENTS: JSON.stringify([CLIENT]) });
    });
    afterAll(async () => {
      await stack?.[Symbol.asyncDispose]();
      await address?.[Symbol.asyncDispose]();
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    });

    const readiness = () =>
      Promise.all([stack.mcpUrl, stack.authUrl].map(async (url) => (await fetch(`${url}/readyz`)).status));
    const untilReady = (status: number) =>
      vi.waitFor(async () => expect(await readiness()).toEqual([status, status]), { timeout: 60_000, interval: 50 });
    const post = (url: string, body: object, headers: Record<string, string> = {}) =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
        body: JSON.stringify(body),
      });
    const register = () => post(`${stack.authUrl}/register`, { redirect_uris: ['http://127.0.0.1/callback'] });
    const token = async (): Promise<string> => {
      const basic = btoa(`${CLIENT.client_id}:${CLIENT.client_secret}`);
      const response = await fetch(`${stack.authUrl}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${basic}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: `${stack.mcpUrl}/mcp` }),
      });
      return ((await response.json()) as { access_token: string }).access_token;
    };
    const initialize = async (bearer: string) => {
      const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
      const message = { jsonrpc: '2.0', id: 1, method: 'initialize', params };
      return (await post(`${stack.mcpUrl}/mcp`, message, { authorization: `Bearer ${bearer}` })).status;
    };

    it('both services find a new primary by themselves, and a registration meanwhile succeeds', async () => {
      const bearer = await token();
      expect([(await register()).status, await initialize(bearer), await readiness()]).toEqual([201, 200, [200, 200]]);
      const made = address.made;

      await tell(servers[1], 'REPLICAOF', 'NO', 'ONE');
      address.to(portOf(servers[1]));
      await tell(servers[0], 'REPLICAOF', '127.0.0.1', String(portOf(servers[1])));

      expect((await register()).status).toBe(201);
      await vi.waitFor(async () => expect(await initialize(bearer)).toBe(200), { timeout: 60_000, interval: 50 });
      await untilReady(200);
      expect(address.made).toBeGreaterThanOrEqual(made + 3);
    });

    it('both services are not ready without a primary, still serve documents, and recover without traffic', async () => {
      await tell(servers[1], 'REPLICAOF', '127.0.0.1', String(portOf(servers[0])));
      await untilReady(503);
      expect((await fetch(`${stack.authUrl}/.well-known/oauth-authorization-server`)).status).toBe(200);
      expect((await fetch(`${stack.mcpUrl}/.well-known/oauth-protected-resource/mcp`)).status).toBe(200);
      expect((await fetch(`${stack.authUrl}/jwks`)).status).toBe(200);
      const made = address.made;
      await vi.waitFor(() => expect(address.made).toBeGreaterThan(made + 3), { timeout: 60_000 });

      await tell(servers[0], 'REPLICAOF', 'NO', 'ONE');
      address.to(portOf(servers[0]));
      await untilReady(200);
      expect((await register()).status).toBe(201);
      expect(stack.run.output).toContain('READONLY');
    });

    it('both services are not ready while Redis is full, still serve keys, and recover without a new connection', async () => {
      const made = address.made;
      await tell(servers[0], 'CONFIG', 'SET', 'maxmemory', '1');
      await untilReady(503);
      expect((await register()).status).toBe(503);
      expect((await fetch(`${stack.authUrl}/jwks`)).status).toBe(200);
      await tell(servers[0], 'CONFIG', 'SET', 'maxmemory', '0');
      await untilReady(200);
      expect(address.made).toBe(made);
    });
  },
);

const portOf = (server: TestRedis): number => server.ports[0] ?? 0;
