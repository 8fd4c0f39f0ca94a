/** Proves that an ID-JAG gives the person whom a sign-in in the browser gives, and that both accesses are on their account page. */
import { decodeJwt } from 'jose';
import { expect, it } from 'vitest';
import { ASSERTION_GRANT } from '../../src/clients/client.ts';
import { redeem } from '../support/client.ts';
import { sign, start } from '../support/oidc-stand-in.ts';
import { oidcAt, serve, signIn } from '../support/provider-sign-in.ts';
import { form, ISSUER, MCP, read } from '../support/running-server.ts';
import { nowSeconds } from '../support/trusted-issuer.ts';

it('draft-ietf-oauth-identity-assertion-authz-grant-04 §3.1 the subject is that of a sign-in, and the account page lists the access of both', async () => {
  await using upstream = await start();
  await using server = await serve({
    ...oidcAt(upstream),
    CLIENTS: JSON.stringify([
      {
        client_id: 'editor',
        client_name: 'Editor',
        client_secret: 'a-secret-of-the-editor',
        grant_types: [ASSERTION_GRANT],
      },
    ]),
    ENTERPRISE_ISSUERS: 'acme',
    ENTERPRISE_ISSUER_ACME_ISSUER: upstream.issuer,
    ENTERPRISE_ISSUER_ACME_CONNECTOR: 'acme',
    ENTERPRISE_ISSUER_ACME_CLIENTS: 'editor',
    ENTERPRISE_ISSUER_ACME_SCOPES: 'mcp:tools',
  });
  const { app, browser, outside } = await signIn(server, upstream);
  const bySignIn = await read(await redeem(server, app, outside?.searchParams.get('code') ?? ''));
  const now = nowSeconds();
  const assertion = await sign(
    {
      iss: upstream.issuer,
      sub: upstream.subject,
      aud: ISSUER,
      client_id: 'editor',
      resource: MCP,
      jti: 'x',
      iat: now,
      exp: now + 60,
    },
    { typ: 'oauth-id-jag+jwt' },
  );
  const basic = `Basic ${btoa('editor:a-secret-of-the-editor')}`;
  const answer = await server.fetch('/token', {
    ...form({ grant_type: ASSERTION_GRANT, assertion }),
    headers: { authorization: basic },
  });
  const byIdJag = await read(answer);
  const subjectOf = (token: unknown) => decodeJwt(String(token)).sub;
  expect(subjectOf(byIdJag.access_token)).toBe(subjectOf(bySignIn.access_token));

  const { page } = await browser.follow('/account');
  const text = (await page?.text()) ?? '';
  expect(text).toContain('Editor');
  expect(text).toContain('your organisation, which allowed this app for you');
  expect(text).toContain('a browser');
});
