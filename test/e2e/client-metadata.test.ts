/**
 * Proves that real clients sign people in with only a client metadata document: the SDKs' own, v1 and v2, against real
 * processes that trust a certificate authority by NODE_EXTRA_CA_CERTS. A proxy in the environment is not used.
 */
import { createServer, type Server } from 'node:net';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CERTIFICATE, ClientHost } from '../../auth-server/test/support/client-host.ts';
import { ClientState } from '../support/client-state.ts';
import { drivers } from '../support/drivers.ts';
import { Person } from '../support/person.ts';
import { Stack } from '../support/stack.ts';

const CALLBACK = 'http://127.0.0.1:33418/callback';

describe('draft-ietf-oauth-client-id-metadata-document §1 an unregistered client', () => {
  let stack: Stack;
  let host: ClientHost;
  let proxy: Server;
  let proxied = 0;

  beforeAll(async () => {
    host = await ClientHost.start();
    const [port = 0] = await freePorts(1);
    proxy = createServer((socket) => {
      proxied += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => proxy.listen(port, '127.0.0.1', resolve));
    stack = await Stack.start({
      CLIENT_METADATA_PRIVATE_HOSTS: host.name,
      NODE_EXTRA_CA_CERTS: CERTIFICATE,
      NODE_USE_ENV_PROXY: '1',
      HTTPS_PROXY: `http://127.0.0.1:${port}`,
    });
  });
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    await host?.[Symbol.asyncDispose]();
    await new Promise((resolve) => proxy.close(resolve));
  });

  it.each(drivers)('$name: signs in and calls tools, and continues while its host is down', async (driver) => {
    const path = `/${driver.name.replace(/\W+/g, '-')}.json`;
    const id = host.publish({ client_name: driver.name, redirect_uris: ['http://127.0.0.1/callback'] }, {}, path);
    const state = new ClientState(CALLBACK, id);
    const url = new URL(stack.mcpUrl + driver.path);

    await expect(driver.connect(url, state)).rejects.toSatisfy((error) => driver.isUnauthorized(error));
    const wanted = state.takeAuthorizationUrl();
    expect(wanted.searchParams.get('client_id')).toBe(id);
    const person = new Person();
    await driver.finish(url, state, await person.signIn(wanted, CALLBACK));
    const first = await driver.connect(url, state);
    expect((await first.call('sum', { a: 1, b: 2 })).text).toContain('is 3');
    await first.close();

    await host.down();
    try {
      state.spoilAccessToken();
      const second = await driver.connect(url, state);
      expect((await second.call('sum', { a: 2, b: 2 })).text).toContain('is 4');
      await second.close();
    } finally {
      await host.up();
    }
    expect([state.saved, host.requests(path)]).toEqual([2, 1]);
    expect(stack.run.output).not.toContain('client registered');
    expect(proxied).toBe(0);
  });
});
