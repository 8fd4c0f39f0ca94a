/** Proves that the claim of ORG_CLAIM is read wherever the provider says it: in the id token, at userinfo, and at each re-check. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { decodeJwt, type JWTPayload } from 'jose';
import { describe, expect, it } from 'vitest';
import { refresh } from '../../support/client.ts';
import { sign, start } from '../../support/oidc-stand-in.ts';
import { oidcAt, serve, tokensOf } from '../../support/provider-sign-in.ts';
import { read } from '../../support/running-server.ts';

/** Everything that the page shows, so that userinfo is asked for the organisations alone. */
const ALICE = { sub: 'alice', name: 'Alice', email: 'alice@acme.example', email_verified: true };
const ORGANISATIONS = { CONNECTOR_ACME_ORG_CLAIM: 'tenants', TOKEN_CLAIMS: 'org' };

const orgOf = ({ access_token: token }: Readonly<Record<string, unknown>>) => decodeJwt(String(token)).org;

describe('ORG_CLAIM', () => {
  it('OpenID Connect Core §5.3 the organisation is read from userinfo where the id token does not have it', async () => {
    await using upstream = await start();
    upstream.claims = ALICE;
    upstream.stage.routes.set('/userinfo', () => ({ ...ALICE, tenants: ['red'] }));
    await using server = await serve({ ...oidcAt(upstream), ...ORGANISATIONS });
    expect(orgOf((await tokensOf(server, upstream)).tokens)).toBe('red');
  });

  it.each([
    ['names the organisation that the provider still names', ['red'], 'red'],
    ['names no organisation after the provider has removed it', [], undefined],
    ['puts no other organisation in the place of one that the person has left', ['blue'], undefined],
  ])('UPSTREAM_RECHECK the next refresh %s', async (_, tenants, org) => {
    await using upstream = await start();
    const clock = new FakeClock(Date.now());
    const answer = { refresh_token: 'of the upstream', expires_in: 3_600 };
    upstream.claims = { ...ALICE, tenants: ['red'] };
    upstream.stage.routes.set('/userinfo', () => ALICE);
    upstream.members = answer;
    await using server = await serve({ ...oidcAt(upstream), ...ORGANISATIONS, UPSTREAM_RECHECK: '60s' }, { clock });
    const { app, tokens } = await tokensOf(server, upstream);
    expect(orgOf(tokens)).toBe('red');
    clock.advance(61);
    const iat = Math.floor(clock.now() / 1000);
    const claims: JWTPayload = { ...ALICE, tenants, iss: upstream.issuer, aud: 'client', iat, exp: iat + 60 };
    upstream.members = { ...answer, id_token: await sign(claims) };
    expect(orgOf(await read(await refresh(server, app, tokens.refresh_token)))).toBe(org);
  });
});
