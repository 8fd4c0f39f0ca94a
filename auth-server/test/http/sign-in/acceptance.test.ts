/** Proves that a person whom a setting of the connector does not accept is treated as one whom a rule refuses. */
import { systemClock } from '@mcp-oauth/shared/clock';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { refresh } from '../../support/client.ts';
import { metadata, type Play, sign, start } from '../../support/oidc-stand-in.ts';
import { serve, signIn, tokensOf } from '../../support/provider-sign-in.ts';
import { type RunningServer, read } from '../../support/running-server.ts';
import { TENANT } from '../../support/vendors.ts';

const OTHER = 'b9419818-09af-49c2-b0c3-653adc1f376e';
const STRANGER = '11111111-2222-3333-4444-555555555555';
const PERSONAL = '9188040d-6c67-4c5b-b112-36a304b66dad';
const MALLORY = { sub: 'mallory', email: 'mallory@evil.example', email_verified: true };

const client = { CONNECTORS: 'acme', CONNECTOR_ACME_CLIENT_ID: 'client', CONNECTOR_ACME_CLIENT_SECRET: 'a secret' };
const google = ({ issuer }: Play, HOSTED_DOMAIN = 'acme.example') => ({
  ...client,
  CONNECTOR_ACME_TYPE: 'google',
  CONNECTOR_ACME_NAME: 'Acme',
  CONNECTOR_ACME_ISSUER: issuer,
  CONNECTOR_ACME_HOSTED_DOMAIN: HOSTED_DOMAIN,
  CONNECTOR_ACME_ALLOW: 'anyone',
});

/** A provider of many tenants: its metadata has the template, and its tokens the issuer of their tenant. */
async function startEntra(tid: string) {
  const upstream = await start('/organizations/v2.0');
  const { origin } = new URL(upstream.issuer);
  upstream.stage.routes.set('/organizations/v2.0/.well-known/openid-configuration', () => ({
    ...metadata(upstream.issuer),
    issuer: `${origin}/{tenantid}/v2.0`,
  }));
  upstream.claims = { ...MALLORY, xms_edov: true, tid, iss: `${origin}/${tid}/v2.0` };
  return upstream;
}
const entra = ({ issuer }: Play, tenant: string) => ({
  ...client,
  CONNECTOR_ACME_TYPE: 'entra',
  CONNECTOR_ACME_NAME: 'Acme',
  CONNECTOR_ACME_TENANT: tenant,
  CONNECTOR_ACME_AUTHORITY: new URL(issuer).origin,
  CONNECTOR_ACME_GRAPH_URL: new URL(issuer).origin,
  CONNECTOR_ACME_ALLOW: 'anyone',
});

/** What a person sees who is refused, what the app gets, and the line of the log. */
async function refusalAt(server: RunningServer, upstream: Play) {
  const { page, outside, browser } = await signIn(server, upstream);
  expect(outside?.href, 'the app gets nothing before the person has read why').toBeUndefined();
  const markup = (await page?.text()) ?? '';
  const [, finish = ''] = /href="([^"]+\/finish)"/.exec(markup) ?? [];
  expect(page?.headers.get('refresh')).toBe(`10; url=${finish}`);
  expect(markup).toContain('?account=other');
  const error = (await browser.follow(finish)).outside?.searchParams.get('error');
  return { markup, error, line: server.log.find(({ msg }) => msg === 'person refused') };
}

describe('HOSTED_DOMAIN and TENANT', () => {
  it('RFC 6749 §4.1.2.1 a Google account of another domain gets the page, and the log names HOSTED_DOMAIN', async () => {
    await using upstream = await start();
    upstream.claims = { ...MALLORY, hd: 'evil.example' };
    await using server = await serve(google(upstream));
    const { markup, error, line } = await refusalAt(server, upstream);
    expect(markup).toContain('mallory@evil.example');
    expect(error).toBe('access_denied');
    expect(line).toMatchObject({
      connector: 'acme',
      reason: 'HOSTED_DOMAIN does not name the domain of this account: evil.example',
    });
    expect(server.log.some(({ msg }) => msg === 'upstream sign-in failed')).toBe(false);
  });

  it('a private Google account has no domain, and the log says so', async () => {
    await using upstream = await start();
    upstream.claims = MALLORY;
    await using server = await serve(google(upstream));
    const { line } = await refusalAt(server, upstream);
    expect(line).toMatchObject({ reason: 'HOSTED_DOMAIN does not name the domain of this account: none' });
  });

  it.each([
    ['another tenant', `${TENANT},${OTHER}`, STRANGER],
    ['a personal account', 'organizations', PERSONAL],
  ])('RFC 6749 §4.1.2.1 a Microsoft account of %s gets the page, and the log names TENANT', async (_, tenant, tid) => {
    await using upstream = await startEntra(tid);
    await using server = await serve(entra(upstream, tenant));
    const { markup, error, line } = await refusalAt(server, upstream);
    expect(markup).toContain('mallory@evil.example');
    expect(error).toBe('access_denied');
    expect(line).toMatchObject({ reason: `TENANT does not name the tenant of this account: ${tid}` });
  });

  it('nothing is kept of a person whom HOSTED_DOMAIN does not accept', async () => {
    await using upstream = await start();
    upstream.claims = { ...MALLORY, hd: 'evil.example' };
    const store = createSqliteStore(':memory:', systemClock);
    const written: string[] = [];
    const watched = {
      ...store,
      put: (...of: Parameters<typeof store.put>) => {
        written.push(JSON.stringify(of));
        return store.put(...of);
      },
    };
    await using server = await serve(google(upstream), { store: watched });
    await refusalAt(server, upstream);
    expect(written.join()).not.toContain('mallory');
    expect(written.join()).not.toContain('"Account"');
  });

  it('the start says which accounts are accepted beside the rules', async () => {
    await using upstream = await start();
    await using server = await serve(google(upstream, 'acme.example,acme.org'));
    expect(server.log.find(({ msg }) => msg === 'people who may come in')).toMatchObject({
      allow: 'everybody who has an account at Acme, but only accounts of HOSTED_DOMAIN: acme.example, acme.org',
    });
  });
});

describe('UPSTREAM_RECHECK with HOSTED_DOMAIN', () => {
  it('OpenID Connect Core §12.2 a person whose domain has changed loses the grant, and it does not come back', async () => {
    await using upstream = await start();
    const clock = new FakeClock(Date.now());
    const answer = { refresh_token: 'of the upstream', expires_in: 3_600 };
    const alice = { sub: 'alice', hd: 'acme.example' };
    upstream.claims = alice;
    upstream.members = answer;
    await using server = await serve({ ...google(upstream), UPSTREAM_RECHECK: '60s' }, { clock });
    const { app, tokens } = await tokensOf(server, upstream);
    const say = async (hd: string) => {
      clock.advance(61);
      const iat = Math.floor(clock.now() / 1000);
      const idToken = { ...alice, hd, iss: upstream.issuer, aud: 'client', iat, exp: iat + 60 };
      upstream.members = { ...answer, id_token: await sign(idToken) };
    };
    await say('evil.example');
    const refused = await refresh(server, app, tokens.refresh_token);
    expect([refused.status, (await read(refused)).error]).toEqual([400, 'invalid_grant']);
    const reason = 'HOSTED_DOMAIN does not name the domain of this account: evil.example';
    expect(server.log.find(({ msg }) => msg === 'person refused')).toMatchObject({ reason });
    await say('acme.example');
    expect((await refresh(server, app, tokens.refresh_token)).status, 'the grant has ended').toBe(400);
  });
});
