/** Proves which tenants of Microsoft Entra ID may sign in, and that a token of another tenant never counts. */
import { describe, expect, it } from 'vitest';
import { checks } from '../../contracts/connector.contract.ts';
import { metadata } from '../../support/oidc-stand-in.ts';
import { acceptanceOf, problemsOf, signInAt, startPreset } from '../../support/preset-stand-in.ts';
import { TENANT, VENDORS } from '../../support/vendors.ts';

const { kind } = VENDORS.entra;
const OTHER = 'b9419818-09af-49c2-b0c3-653adc1f376e';
const STRANGER = '11111111-2222-3333-4444-555555555555';
const PERSONAL = '9188040d-6c67-4c5b-b112-36a304b66dad';

interface Play {
  /** Where the metadata is, and whose it is. */
  readonly place?: string;
  readonly document?: string;
  readonly tid?: unknown;
  /** The tenant in the `iss` of the token. Absent: `tid`. */
  readonly iss?: string;
}

async function signIn(tenant: string, { place = 'organizations', document = '{tenantid}', tid = TENANT, iss }: Play) {
  const env = (issuer: string) => ({
    TENANT: tenant,
    AUTHORITY: new URL(issuer).origin,
    GRAPH_URL: new URL(issuer).origin,
  });
  await using upstream = await startPreset(kind, { path: `/${place}/v2.0`, env });
  const { origin } = new URL(upstream.issuer);
  upstream.stage.routes.set(`/${place}/v2.0/.well-known/openid-configuration`, () => ({
    ...metadata(upstream.issuer),
    issuer: `${origin}/${document}/v2.0`,
  }));
  upstream.claims = { iss: `${origin}/${iss ?? tid}/v2.0`, tid };
  const { issuer } = await signInAt(upstream);
  return issuer.replace(origin, '');
}

const microsoft = 'Microsoft docs "OpenID Connect on the Microsoft identity platform"';

describe('entra: tenants', () => {
  it.each([
    ['one tenant', TENANT, { place: TENANT, document: TENANT }],
    ['one tenant, in upper case', TENANT.toUpperCase(), { place: TENANT, document: TENANT }],
    [
      'a domain, whose id the metadata has',
      'contoso.onmicrosoft.com',
      { place: 'contoso.onmicrosoft.com', document: TENANT },
    ],
    ['several tenants', `${OTHER},${TENANT}`, {}],
    ['any organization', 'organizations', {}],
  ])(`${microsoft}: a person of the tenant signs in where TENANT names %s`, async (_, tenant, play) => {
    expect(await signIn(tenant, play)).toBe(`/${TENANT}/v2.0`);
  });

  it.each([
    ['no tid', 'organizations', { tid: null, iss: TENANT }, 'invalid_answer'],
    ['a tid that is a list', 'organizations', { tid: [TENANT], iss: TENANT }, 'invalid_answer'],
    ['a tid that is a path', 'organizations', { tid: `${TENANT}/v2.0/..` }, 'invalid_answer'],
    ['the template itself as tid', 'organizations', { tid: '{tenantid}' }, 'invalid_answer'],
    ['an issuer of another tenant than tid', 'organizations', { tid: TENANT, iss: STRANGER }, 'invalid_answer'],
    ['the template as issuer', 'organizations', { iss: '{tenantid}' }, 'invalid_answer'],
    ['an issuer of another tenant', TENANT, { place: TENANT, document: TENANT, tid: STRANGER }, 'invalid_answer'],
    ['metadata of another tenant', TENANT, { place: TENANT, document: STRANGER, tid: STRANGER }, 'unavailable'],
    ['metadata of many tenants where one is meant', TENANT, { place: TENANT, tid: TENANT }, 'unavailable'],
    [
      'metadata of a place that is no tenant',
      'contoso.com',
      { place: 'contoso.com', document: 'common' },
      'unavailable',
    ],
  ])('Microsoft docs "Validate the issuer": a sign-in is refused with %s', async (_, tenant, play, reason) => {
    await expect(signIn(tenant, play)).rejects.toMatchObject({ name: 'UpstreamError', reason });
  });

  it.each([
    ['a tenant that is not listed', `${OTHER},${TENANT}`, STRANGER],
    ['a personal account where an organization is meant', 'organizations', PERSONAL],
  ])('a person signs in at Microsoft, and TENANT refuses %s', async (_, tenant, tid) => {
    const issuer = `https://login.microsoftonline.com${await signIn(tenant, { tid })}`;
    const reason = `TENANT does not name the tenant of this account: ${tid}`;
    expect(acceptanceOf(kind, { TENANT: tenant })?.refusalOf({ issuer, subject: '1' })).toBe(reason);
  });

  it.each([
    ['an account of a listed tenant', `${OTHER},${TENANT}`, `https://login.microsoftonline.com/${TENANT}/v2.0`],
    ['claims that name no issuer', `${OTHER},${TENANT}`, 'https://login.microsoftonline.com/organizations/v2.0'],
    [
      'a stored account of any tenant where a domain is named',
      'contoso.com',
      `https://login.microsoftonline.com/${STRANGER}/v2.0`,
    ],
  ])('TENANT accepts %s', (_, tenant, issuer) => {
    expect(acceptanceOf(kind, { TENANT: tenant })?.refusalOf({ issuer, subject: '1' })).toBeUndefined();
  });

  it.each([
    ['common', false],
    ['consumers', false],
    ['organizations', true],
    [TENANT, true],
    ['contoso.com', true],
    [`${TENANT},${OTHER}`, true],
    [`${TENANT},organizations`, false],
    [`${TENANT},contoso.com`, false],
    ['*', false],
    [',', false],
  ])('TENANT=%s is accepted: %s', (tenant, isAccepted) => {
    const problems = problemsOf(kind, { CLIENT_ID: 'client', CLIENT_SECRET: 'secret', TENANT: tenant });
    expect(problems.map(({ env }) => env)).toEqual(isAccepted ? [] : ['TENANT']);
  });

  it('RFC 9207 §2.4 an answer that names the issuer of a tenant which may not sign in is refused', async () => {
    await using upstream = await startPreset(kind, VENDORS.entra);
    const answer = await upstream.signIn(await upstream.connector.begin(checks));
    answer.searchParams.set('iss', `${new URL(upstream.issuer).origin}/${STRANGER}/v2.0`);
    await expect(upstream.connector.finish(answer, checks)).rejects.toMatchObject({ reason: 'invalid_answer' });
  });
});
