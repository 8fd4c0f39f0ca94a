/** Proves which tokens an OpenID provider gives to tools, and how the providers of the presets differ in that. */
import { describe, expect, it } from 'vitest';
import type { ConnectorContext, ToolAccess } from '../../../src/federation/connector.ts';
import { checks } from '../../contracts/connector.contract.ts';
import { metadata, open, type Play, start } from '../../support/oidc-stand-in.ts';
import { openKind, startPreset } from '../../support/preset-stand-in.ts';
import { Reply } from '../../support/upstream-stand-in.ts';
import { TENANT, VENDORS } from '../../support/vendors.ts';

const signal = new AbortController().signal;
const toolsOf = ({ connector }: Pick<Play, 'connector'>) => connector.tools as ToolAccess;

async function connect(play: Play, requested: readonly string[], members: object = {}) {
  play.members = { refresh_token: 'refresh-1', expires_in: 3600, ...members };
  const page = await toolsOf(play).begin(checks, { scopes: requested });
  return toolsOf(play).finish(await play.signIn(page), checks, requested);
}

describe('an OpenID provider, for tools', () => {
  it('OpenID Connect Core §3.1.2.1 the scopes of tools are requested beside openid, with the account of the person', async () => {
    await using play = await start();
    const page = await toolsOf(play).begin(checks, { scopes: ['calendar'], loginHint: 'alice@example.com' });
    expect(page.searchParams.get('scope')).toBe('openid profile email calendar');
    expect(page.searchParams.get('login_hint')).toBe('alice@example.com');
    expect(page.searchParams.get('code_challenge_method')).toBe('S256');
    expect(page.searchParams.get('nonce')).toBe(checks.nonce);
  });

  it('a connected account has the subject of the id token and the scopes that were given', async () => {
    await using play = await start();
    const connected = await connect(play, ['calendar', 'files', 'openid'], { scope: 'openid calendar' });
    expect(connected).toMatchObject({
      session: { accessToken: expect.any(String), refreshToken: 'refresh-1', expiresAt: expect.any(Number) },
      scopes: ['calendar', 'openid'],
      identity: { issuer: play.issuer, subject: play.subject },
    });
  });

  it('RFC 6749 §5.1 a token response without scopes gives all that were requested', async () => {
    await using play = await start();
    expect((await connect(play, ['calendar', 'files'])).scopes).toEqual(['calendar', 'files']);
  });

  it('OpenID Connect Core §3.1.3.7 an id token of another sign-in is refused', async () => {
    await using play = await start();
    play.claims = { nonce: 'another' };
    await expect(connect(play, ['calendar'])).rejects.toMatchObject({ reason: 'invalid_answer' });
  });

  it('RFC 6749 §6 a renewal takes over a new refresh token, and keeps the old one where there is none', async () => {
    await using play = await start();
    const connected = await connect(play, ['calendar', 'files']);
    play.members = { refresh_token: 'refresh-2', expires_in: 60, scope: 'calendar' };
    const renewed = await toolsOf(play).refresh(connected, signal);
    expect(renewed).toMatchObject({ session: { refreshToken: 'refresh-2' }, scopes: ['calendar'] });
    play.members = { access_token: 'later', expires_in: undefined };
    expect(await toolsOf(play).refresh(renewed, signal)).toMatchObject({
      session: { accessToken: 'later', refreshToken: 'refresh-2' },
    });
    expect(play.redeemed()?.form.get('refresh_token')).toBe('refresh-2');
  });

  it.each([
    ['RFC 6749 §5.2 invalid_grant', new Reply(400, { error: 'invalid_grant' }), 'ended'],
    ['access_denied', new Reply(400, { error: 'access_denied' }), 'denied'],
    ['a server error', new Reply(500, {}), 'unavailable'],
  ])('%s ends a connection, or does not', async (_, reply, reason) => {
    await using play = await start();
    const connected = await connect(play, ['calendar']);
    play.stage.routes.set('/token', () => reply);
    await expect(toolsOf(play).refresh(connected, signal)).rejects.toMatchObject({ reason });
  });

  it.each([
    [200, {}, true],
    [401, { 'www-authenticate': 'Bearer error="invalid_token"' }, false],
    [401, {}, false],
    [403, { 'www-authenticate': 'Bearer error="insufficient_scope"' }, undefined],
  ])(
    'OpenID Connect Core 1.0 §5.3.3 %i at userinfo with %j tells whether the token is good',
    async (status, headers, said) => {
      await using play = await start();
      play.stage.routes.set('/userinfo', () => new Reply(status, { sub: 'x' }, headers));
      expect(await toolsOf(play).isAccepted?.({ accessToken: 'access' }, signal)).toBe(said);
    },
  );

  it('RFC 7009 §2.1 the refresh token is revoked where the metadata has an endpoint for it', async () => {
    await using play = await start();
    await toolsOf(play).revoke?.({ refreshToken: 'refresh-1', accessToken: 'access' }, signal);
    let form: URLSearchParams | undefined;
    play.stage.routes.set('/.well-known/openid-configuration', () => ({
      ...metadata(play.issuer),
      revocation_endpoint: `${play.issuer}/revoke`,
    }));
    play.stage.routes.set('/revoke', (sent) => {
      form = sent;
      return new Reply(200, '');
    });
    await (open(play.issuer).tools as ToolAccess).revoke?.(
      { refreshToken: 'refresh-1', accessToken: 'access' },
      signal,
    );
    expect(form?.get('token')).toBe('refresh-1');
  });
});

describe('presets, for tools', () => {
  it('Google docs "OAuth 2.0 for Web Server Applications": offline access with a consent, beside the scopes of before', async () => {
    await using google = await startPreset(VENDORS.google.kind, VENDORS.google);
    const page = await toolsOf(google).begin(checks, { scopes: ['https://www.googleapis.com/auth/calendar'] });
    expect(Object.fromEntries(page.searchParams)).toMatchObject({
      access_type: 'offline',
      prompt: 'consent',
      include_granted_scopes: 'true',
    });
    const userinfo = 'https://www.googleapis.com/auth/userinfo.email';
    expect((await connect(google, [userinfo, 'email', 'x'], { scope: `openid ${userinfo}` })).scopes).toEqual([
      userinfo,
      'email',
    ]);
  });

  it('Google docs "Revoking a token": the sign-in would end too, so tokens are revoked only where nobody signs in', async () => {
    await using google = await startPreset(VENDORS.google.kind, VENDORS.google);
    const opened = (uses: ConnectorContext['uses']) =>
      openKind(VENDORS.google.kind, { CLIENT_ID: 'client', CLIENT_SECRET: 'secret', ISSUER: google.issuer }, { uses })
        .tools;
    expect(opened(['tools'])?.revoke).toBeDefined();
    expect(opened(['sign-in', 'tools'])?.revoke).toBeUndefined();
  });

  it('Microsoft docs "On-Behalf-Of flow": the person allows one API, whose token is exchanged for those of tools', async () => {
    const scope = 'api://client/access_as_user';
    await using entra = await startPreset(VENDORS.entra.kind, VENDORS.entra, { env: { ON_BEHALF_OF: scope } });
    const forms: URLSearchParams[] = [];
    const path = `/${TENANT}/v2.0/token`;
    const usual = entra.stage.routes.get(path);
    let refusal: Reply | undefined;
    entra.stage.routes.set(path, async (form, request) => {
      forms.push(form);
      if (form.get('grant_type') === 'authorization_code') return usual?.(form, request);
      if (form.get('grant_type') === 'refresh_token')
        return { access_token: 'own-2', token_type: 'Bearer', expires_in: 60, refresh_token: 'refresh-2' };
      return (
        refusal ?? {
          access_token: `graph for ${form.get('assertion')}`,
          token_type: 'Bearer',
          expires_in: 60,
          scope: form.get('scope'),
        }
      );
    });
    entra.members = { access_token: 'own-1', refresh_token: 'refresh-1', expires_in: 3600 };
    const page = await toolsOf(entra).begin(checks, { scopes: ['Mail.Read'] });
    expect(page.searchParams.get('scope')).toBe(`openid profile email ${scope} offline_access`);
    const connected = await toolsOf(entra).finish(await entra.signIn(page), checks, ['Mail.Read']);
    expect(connected).toMatchObject({
      session: { accessToken: 'graph for own-1', refreshToken: 'refresh-1' },
      scopes: ['Mail.Read'],
    });
    expect(forms.at(-1)?.get('requested_token_use')).toBe('on_behalf_of');
    expect(await toolsOf(entra).refresh(connected, signal)).toMatchObject({
      session: { accessToken: 'graph for own-2', refreshToken: 'refresh-2' },
      scopes: ['Mail.Read'],
    });
    refusal = new Reply(400, { error: 'invalid_grant', error_description: 'AADSTS65001: no consent' });
    await expect(toolsOf(entra).refresh(connected, signal)).rejects.toMatchObject({ reason: 'denied' });
  });

  it('Microsoft lists scopes of Graph in another spelling than they were requested in', async () => {
    await using entra = await startPreset(VENDORS.entra.kind, VENDORS.entra);
    const graph = new URL(entra.issuer).origin;
    const page = await toolsOf(entra).begin(checks, { scopes: ['Mail.Read'] });
    expect(page.searchParams.get('scope')).toBe('openid profile email Mail.Read offline_access');
    const requested = ['Mail.Read', `${graph}/Files.Read`, 'Mail.Send', 'offline_access'];
    const { scopes } = await connect(entra, requested, { scope: `openid ${graph}/mail.read Files.Read` });
    expect(scopes).toEqual(['Mail.Read', `${graph}/Files.Read`, 'offline_access']);
  });
});
