/** Proves that one address can neither fill the store nor guess secrets (RFC 9700 §4.16, RFC 6749 §10.10). */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { authorizePath, register, tokensFor } from '../../support/client.ts';
import { form, type RunningServer, read, startServer } from '../../support/running-server.ts';

const from = (address: string) => ({ 'x-forwarded-for': address });
const guess = (server: RunningServer, path: string, headers: Record<string, string> = {}) =>
  server.fetch(path, {
    ...form({ grant_type: 'refresh_token', client_id: 'nobody', refresh_token: 'guess' }),
    headers,
  });

describe('RFC 9700 §4.16 limits of authorization requests', () => {
  it('the authorization requests of an address are limited, at /authorize and /par together, with a helpful page', async () => {
    const env = { AUTHORIZATION_LIMIT: '3', TRUSTED_PROXIES: 'loopback' };
    await using server = await startServer({ env });
    const app = await register(server);
    const ask = (address: string, path = authorizePath(app)) =>
      server.fetch(path, { headers: { accept: 'text/html', ...from(address) } });
    expect((await ask('1.1.1.1')).status).toBe(303);
    expect((await ask('1.1.1.1', authorizePath(app).replace('/authorize', '/AUTHORIZE/'))).status).toBe(303);
    expect((await server.fetch('/par', { ...form({ client_id: app.id }), headers: from('1.1.1.1') })).status).toBe(400);
    const refused = await ask('1.1.1.1');
    expect([refused.status, refused.headers.get('content-type')]).toEqual([429, 'text/html; charset=utf-8']);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(await refused.text()).toContain('Wait a moment');
    expect((await ask('2.2.2.2')).status).toBe(303);
  });

  it('the continuation of a request is not counted: a sign-in that began can finish', async () => {
    await using server = await startServer({ env: { AUTHORIZATION_LIMIT: '1' } });
    const app = await register(server);
    expect(await tokensFor(server, app)).toHaveProperty('access_token');
  });
});

describe('RFC 6749 §10.10 limits of failed client authentication', () => {
  it.each(['/token', '/par', '/revoke'])(
    'failed requests at %s are limited by address, and only there',
    async (path) => {
      await using server = await startServer({ env: { FAILURE_LIMIT: '2', TRUSTED_PROXIES: 'loopback' } });
      const statuses: number[] = [];
      for (let attempt = 0; attempt < 4; attempt += 1)
        statuses.push((await guess(server, path, from('1.1.1.1'))).status);
      expect(statuses).toEqual([401, 401, 401, 429]);
      const refused = await guess(server, '/token', from('1.1.1.1'));
      expect(await read(refused)).toMatchObject({ error: 'too_many_requests' });
      expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
      expect(refused.headers.get('access-control-allow-origin')).toBe('*');
      expect((await guess(server, path, from('2.2.2.2'))).status).toBe(401);
    },
  );

  it('successful requests are never counted', async () => {
    await using server = await startServer({ env: { FAILURE_LIMIT: '1' } });
    const app = await register(server);
    for (let round = 0; round < 4; round += 1) expect(await tokensFor(server, app)).toHaveProperty('access_token');
  });

  it('failures are forgotten after a minute', async () => {
    const clock = new FakeClock(Date.now());
    await using server = await startServer({ env: { FAILURE_LIMIT: '1' }, clock });
    for (const status of [401, 401, 429]) expect((await guess(server, '/token')).status).toBe(status);
    clock.advance(61);
    expect((await guess(server, '/token')).status).toBe(401);
  });
});
