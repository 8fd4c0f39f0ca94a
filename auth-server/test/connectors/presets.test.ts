/** Proves that each preset keeps the connector contract, with settings as the operator writes them, and starts with the few it needs. */
import { describe, expect, it } from 'vitest';
import { checks, connectorContract } from '../contracts/connector.contract.ts';
import { problemsOf, signInAt, startPreset } from '../support/preset-stand-in.ts';
import { VENDORS } from '../support/vendors.ts';

for (const [name, vendor] of Object.entries(VENDORS)) {
  connectorContract(name, (timeout) => startPreset(vendor.kind, vendor, { timeout }));
}

describe('presets', () => {
  it.each(Object.entries(VENDORS))('%s asks for the settings that it cannot know', (name, { kind }) => {
    expect(kind.type).toBe(name);
    const required = problemsOf(kind, {}).map(({ env }) => env);
    const known = { apple: ['CLIENT_ID', 'TEAM_ID', 'KEY_ID', 'PRIVATE_KEY'], entra: ['CLIENT_ID', 'TENANT'] } as const;
    const usual = ['google', 'gitlab'].includes(name) ? ['CLIENT_ID'] : ['ISSUER', 'CLIENT_ID'];
    expect(required).toEqual(known[name as keyof typeof known] ?? usual);
  });

  it.each(Object.entries(VENDORS))('%s refuses http that is not on this machine', (name, { kind, env }) => {
    const url = name === 'entra' ? 'http://login.example.com/x/v2.0' : 'http://id.example.com';
    const problems = problemsOf(kind, {
      CLIENT_ID: 'client',
      CLIENT_SECRET: 'secret',
      ...(env?.(url) ?? { ISSUER: url }),
    });
    expect(problems.map(({ env: variable }) => variable)).toContain(name === 'entra' ? 'AUTHORITY' : 'ISSUER');
  });

  it.each([
    ['google', 'access_type', 'offline'],
    ['entra', 'scope', 'offline_access'],
    ['keycloak', 'scope', 'offline_access'],
    ['auth0', 'scope', 'offline_access'],
    ['okta', 'scope', 'offline_access'],
  ] as const)('OpenID Connect Core §11 %s is asked for a refresh token by %s=%s', async (name, parameter, value) => {
    const vendor = VENDORS[name];
    await using upstream = await startPreset(vendor.kind, vendor);
    expect((await upstream.connector.begin(checks)).searchParams.get(parameter)?.split(' ')).toContain(value);
    await using silent = await startPreset(vendor.kind, vendor, { env: { OFFLINE_ACCESS: 'off' } });
    expect((await silent.connector.begin(checks)).searchParams.get(parameter) ?? '').not.toContain(value);
  });

  it.each(Object.entries(VENDORS))(
    'OpenID Connect Core §12 %s is asked again with the refresh token',
    async (_, vendor) => {
      await using upstream = await startPreset(vendor.kind, vendor);
      upstream.members = { refresh_token: 'refresh-1', expires_in: 300 };
      const page = await upstream.connector.begin(checks);
      const { identity, session = {} } = await upstream.connector.finish(await upstream.signIn(page), checks);
      upstream.members = { refresh_token: 'refresh-2', expires_in: 300 };
      upstream.stage.routes.set(`${vendor.path ?? ''}/userinfo`, () => ({ sub: upstream.subject }));
      const renewed: unknown[] = [];
      const renew = async (next: unknown) => void renewed.push(next);
      const again = await upstream.connector.recheck?.(session, renew, new AbortController().signal);
      expect(upstream.redeemed()?.form.get('refresh_token')).toBe('refresh-1');
      expect(renewed).toMatchObject([{ refreshToken: 'refresh-2' }]);
      expect(again).toMatchObject({ identity: { issuer: identity.issuer, subject: identity.subject } });
    },
  );

  it.each(Object.entries(VENDORS))('%s shows a verified address of its person', async (_, vendor) => {
    await using upstream = await startPreset(vendor.kind, vendor);
    upstream.claims = { ...upstream.claims, email: 'alice@example.com', email_verified: true, xms_edov: true };
    expect(await signInAt(upstream)).toMatchObject({
      email: 'alice@example.com',
      verifiedEmails: ['alice@example.com'],
    });
  });
});
