/** Proves that a setting which accepts only some accounts of a provider decides before the rules, and on a stored identity as well. */
import { systemClock } from '@mcp-oauth/shared/clock';
import { createLogger } from '@mcp-oauth/shared/logger';
import { describe, expect, it } from 'vitest';
import { composeAccess } from '../../src/compose/access.ts';
import { readConfig } from '../../src/config.ts';
import type { Identity } from '../../src/federation/connector.ts';
import { discoverKinds } from '../../src/federation/registry.ts';
import { TENANT } from '../support/vendors.ts';

const kinds = await discoverKinds(new URL('../../src/connectors/', import.meta.url));
const OTHER = 'b9419818-09af-49c2-b0c3-653adc1f376e';

function accessOf(env: Readonly<Record<string, string>>) {
  const secrets = Object.fromEntries(
    ['GOOGLE', 'ENTRA'].flatMap((name) =>
      ['CLIENT_ID', 'CLIENT_SECRET'].map((what) => [`CONNECTOR_${name}_${what}`, 'x']),
    ),
  );
  const config = readConfig({ NODE_ENV: 'test', CONNECTORS: 'google,entra', ...secrets, ...env }, kinds);
  return composeAccess(config, { clock: systemClock, log: createLogger('auth-server', 'silent') });
}
const open = {
  PEOPLE_ALLOW: 'anyone',
  CONNECTOR_GOOGLE_HOSTED_DOMAIN: 'example.com',
  CONNECTOR_ENTRA_TENANT: `${TENANT},${OTHER}`,
};
const ofGoogle = (domain?: string): Identity => ({
  issuer: 'https://accounts.google.com',
  subject: '1',
  domains: domain === undefined ? [] : [domain],
  verifiedEmails: ['alice@example.com'],
});
const ofTenant = (tenant: string): Identity => ({
  issuer: `https://login.microsoftonline.com/${tenant}/v2.0`,
  subject: '1',
});

describe('an account that the settings of its connector do not accept', () => {
  it.each([
    ['google', ofGoogle('evil.example'), /^HOSTED_DOMAIN does not name the domain of this account: evil\.example$/],
    ['google', ofGoogle(), /^HOSTED_DOMAIN does not name the domain of this account: none$/],
    ['entra', ofTenant('11111111-2222-3333-4444-555555555555'), /^TENANT does not name the tenant of this account: 1/],
  ])('%s: the account is refused for good, whatever a rule allows', async (connector, identity, reason) => {
    const { decide } = await accessOf({ ...open, [`CONNECTOR_${connector.toUpperCase()}_ALLOW`]: 'subject:1' });
    expect(await decide(connector, identity)).toMatchObject({
      isAllowed: false,
      isFinal: true,
      reason: expect.stringMatching(reason),
    });
  });

  it('an accepted account still needs a rule, and a denial still wins', async () => {
    const { decide } = await accessOf({ ...open, PEOPLE_DENY: 'email:alice@example.com' });
    expect(await decide('entra', ofTenant(OTHER))).toMatchObject({ isAllowed: true });
    expect(await decide('google', ofGoogle('example.com'))).toMatchObject({
      reason: 'denied by email:alice@example.com',
    });
  });

  it('a stored identity is decided as at the sign-in, also when no rule reads its domain', async () => {
    const { decide, stored } = await accessOf(open);
    const keep = (identity: Identity) => stored({ accountId: 'a', connector: 'google', identity }).identity;
    expect(await decide('google', keep(ofGoogle('example.com')))).toMatchObject({ isAllowed: true });
    expect(await decide('google', keep(ofGoogle('evil.example')))).toMatchObject({ isAllowed: false, isFinal: true });
  });

  it('a setting that is newer than the sign-in refuses until the next sign-in, and ends nothing', async () => {
    const before = await accessOf({ ...open, CONNECTOR_GOOGLE_HOSTED_DOMAIN: '' });
    const { identity } = before.stored({ accountId: 'a', connector: 'google', identity: ofGoogle('example.com') });
    const { decide, gate } = await accessOf(open);
    const decision = await decide('google', identity);
    expect(decision).toMatchObject({
      isAllowed: false,
      reason: expect.stringMatching(/^HOSTED_DOMAIN can't be decided/),
    });
    expect(decision.isFinal).toBeUndefined();
    const verdict = await gate({ accountId: 'a', connector: 'google', identity }, 'token');
    expect(verdict?.refusal?.description).toContain('Sign in again.');
  });
});
