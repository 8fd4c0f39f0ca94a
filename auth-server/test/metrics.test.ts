/** Proves that auth-server counts what an operator needs, and that no request can put text into a metric. */
import { describe, expect, it } from 'vitest';
import { ASSERTION_GRANT } from '../src/clients/client.ts';
import { UpstreamError } from '../src/federation/connector.ts';
import type { OpenConnector } from '../src/federation/registry.ts';
import { Browser } from './support/browser.ts';
import { authorize, authorizePath, redeem, refresh, register, tokensFor } from './support/client.ts';
import { startEnterprise } from './support/enterprise.ts';
import { form, json, type RunningServer, startServer } from './support/running-server.ts';

const METRICS = { METRICS_PORT: '0' };

const away = (acme: OpenConnector): OpenConnector => ({
  ...acme,
  id: 'away',
  connector: { ...acme.connector, begin: () => Promise.reject(new UpstreamError('unavailable', 'nobody there')) },
});

const start = (env = {}) => startServer({ env: { ...METRICS, ...env }, connectors: (acme) => [acme, away(acme)] });

/** The values other than zero, without those of requests and of the process. */
const counted = async (server: RunningServer): Promise<Record<string, number>> => {
  const { values } = await server.scrape();
  return Object.fromEntries([...values].filter(([name, value]) => name.startsWith('auth_') && value !== 0));
};

describe('the metrics of auth-server', () => {
  it('the metrics count registrations, sign-ins, authorizations and tokens', async () => {
    await using server = await start();
    const client = await register(server);
    const { refresh_token: token } = await tokensFor(server, client);
    await refresh(server, client, token);
    expect(await counted(server)).toEqual({
      'auth_registrations_total{result="created"}': 1,
      'auth_sign_ins_total{connector="acme",result="ok"}': 1,
      'auth_authorizations_total{result="granted"}': 1,
      'auth_token_requests_total{grant="authorization_code",result="issued"}': 1,
      'auth_token_requests_total{grant="refresh_token",result="issued"}': 1,
    });
  });

  it('the metrics count refused assertions by their reason (RFC 7523 §3.1)', async () => {
    await using enterprise = await startEnterprise(METRICS);
    await enterprise.present(await enterprise.idJag());
    await enterprise.present(await enterprise.idJag({ aud: 'https://other.example' }));
    expect(await counted(enterprise.server)).toEqual({
      'auth_assertions_refused_total{reason="aud"}': 1,
      [`auth_token_requests_total{grant="${ASSERTION_GRANT}",result="issued"}`]: 1,
      [`auth_token_requests_total{grant="${ASSERTION_GRANT}",result="invalid_grant"}`]: 1,
    });
  });

  it('the metrics count refused requests by their reason', async () => {
    await using server = await start();
    const client = await register(server);
    await server.fetch('/register', json({ redirect_uris: ['javascript:alert(1)'] }));
    const browser = new Browser(server);
    const { page } = await browser.follow(authorizePath(client));
    await browser.submit(page, 'approve', { connector: 'away' });
    await browser.follow(authorizePath(client, { scope: 'made-up' }));
    await redeem(server, client, 'no-such-code');
    await server.fetch('/token', form({ grant_type: 'password', client_id: client.id }));
    expect(await counted(server)).toEqual({
      'auth_registrations_total{result="created"}': 1,
      'auth_registrations_total{result="invalid_redirect_uri"}': 1,
      'auth_sign_ins_total{connector="away",result="unavailable"}': 1,
      'auth_authorizations_total{result="temporarily_unavailable"}': 1,
      'auth_authorizations_total{result="invalid_scope"}': 1,
      'auth_token_requests_total{grant="authorization_code",result="invalid_grant"}': 1,
      'auth_token_requests_total{grant="other",result="unsupported_grant_type"}': 1,
    });
  });

  it('RFC 6749 §10.5 the metrics count a code that is used twice', async () => {
    await using server = await start();
    const client = await register(server);
    const { code } = await authorize(server, client);
    for (let use = 0; use < 2; use += 1) await redeem(server, client, code);
    expect(await counted(server)).toMatchObject({ 'auth_reuses_total{what="authorization_code"}': 1 });
  });

  it('the metrics name the rate limit that was exceeded', async () => {
    await using server = await start({ AUTHORIZATION_LIMIT: '1' });
    const client = await register(server);
    for (let use = 0; use < 3; use += 1) await server.fetch(authorizePath(client));
    expect(await counted(server)).toMatchObject({ 'auth_rate_limited_total{limit="authorize"}': 2 });
  });

  it('the metrics contain no value from a request', async () => {
    await using server = await start();
    await tokensFor(server, await register(server));
    const before = await server.scrape();
    for (let n = 0; n < 50; n += 1) {
      await server.fetch(`/canary-${n}/path?code=canary`);
      await server.fetch(`/interaction/canary-${n}`);
      await server.fetch(`/callback/canary-${n}?state=canary`);
      await server.fetch(`/register/canary-${n}`, { headers: { authorization: 'Bearer canary' } });
      await server.fetch('/token', form({ grant_type: `canary-${n}`, client_id: `canary-${n}` }));
      await server.fetch(`/authorize?client_id=canary-${n}&response_type=canary`);
      await server.fetch('/token', { method: 'PATCH' });
    }
    const after = await server.scrape();
    expect(after.text).not.toContain('canary');
    // Requests each route once that had no request before.
    expect(after.values.size - before.values.size).toBeLessThan(10 * 15);
    expect(after.values.get('http_request_duration_seconds_count{route="other",method="GET",status="4xx"}')).toBe(50);
  });

  it('the metrics know their routes below the path of an issuer', async () => {
    await using server = await start({ ISSUER: 'https://example.com/auth' });
    await server.fetch('/jwks');
    await server.fetch('https://example.com/.well-known/oauth-authorization-server/auth');
    await server.fetch('https://example.com/livez');
    await server.fetch('https://example.com/token');
    const { values } = await server.scrape();
    const routes = [...values.keys()].filter((name) => name.startsWith('http_request_duration_seconds_count'));
    expect(routes.map((name) => /route="([^"]+)"/.exec(name)?.[1]).sort()).toEqual([
      '/.well-known/oauth-authorization-server',
      '/jwks',
      '/livez',
      'other',
    ]);
  });

  it('the metrics are off without METRICS_PORT', async () => {
    await using server = await startServer();
    await expect(server.scrape()).rejects.toThrow('this service has no metrics');
  });
});
