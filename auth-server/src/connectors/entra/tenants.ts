/**
 * Owns which tenants of Microsoft Entra ID may sign people in, and how the issuer of a token is checked: one document serves many
 * tenants, so its issuer contains `{tenantid}`, which stands for the claim `tid`. The issuer then says the tenant of the person.
 */
import type { Problem } from '@mcp-oauth/shared/settings/config';
import { type Acceptance, UpstreamError } from '../../federation/connector.ts';

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const DOMAIN = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/;
const TEMPLATE = '{tenantid}';
/** Any tenant of an organization. */
const ORGANIZATIONS = 'organizations';
/** The tenant of personal Microsoft accounts. */
const PERSONAL = '9188040d-6c67-4c5b-b112-36a304b66dad';

export interface Tenants {
  /** The issuer under which the metadata is read. */
  readonly metadataIssuer: string;
  acceptsIssuer(issuer: string): boolean;
  /** The `iss` of a token with these claims, of whatever tenant. @throws UpstreamError without a tenant */
  issuerOf(claims: Readonly<Record<string, unknown>>, issuer: string): string;
  readonly acceptance: Acceptance;
}

/** @param named the values of TENANT in lower case */
export function tenantsOf(named: readonly string[], authority: string): Tenants {
  const issuerFor = (tenant: string) => `${authority}/${tenant}/v2.0`;
  const [first = ORGANIZATIONS, ...others] = named;
  const isSingle = others.length === 0 && first !== ORGANIZATIONS;
  const mayBe = (tenant: string) => {
    if (!GUID.test(tenant)) return false;
    // A domain names one tenant, whose id only the metadata of Microsoft knows: a sign-in compares it, a stored identity is accepted.
    if (isSingle) return DOMAIN.test(first) || tenant === first;
    return first === ORGANIZATIONS ? tenant !== PERSONAL : named.includes(tenant);
  };
  return {
    metadataIssuer: issuerFor(isSingle ? first : ORGANIZATIONS),
    acceptsIssuer: (issuer) => {
      const tenant = issuer.slice(authority.length + 1, -'/v2.0'.length);
      return issuer === issuerFor(tenant) && (mayBe(tenant) || (!isSingle && tenant === TEMPLATE));
    },
    issuerOf: ({ tid }, issuer) => {
      if (!issuer.includes(TEMPLATE)) return issuer;
      if (typeof tid === 'string' && GUID.test(tid)) return issuer.replace(TEMPLATE, tid);
      const facts = { claim: 'tid', expected: 'the id of a tenant', found: tid ?? 'nothing' };
      throw new UpstreamError('invalid_answer', 'the token names no tenant', facts);
    },
    acceptance: {
      env: 'TENANT',
      named,
      refusalOf: ({ issuer }) => {
        const tenant = issuer.slice(authority.length + 1, -'/v2.0'.length);
        // A file of claims without `iss` has the issuer of the metadata, which is that of no tenant.
        if (issuer !== issuerFor(tenant) || !GUID.test(tenant) || mayBe(tenant)) return undefined;
        return `TENANT does not name the tenant of this account: ${tenant}`;
      },
    },
  };
}

/** @param named the values of TENANT in lower case */
export function judgeTenants(named: readonly string[]): readonly Problem[] {
  const refuse = (message: string) => [{ env: 'TENANT', message }];
  if (named.length === 1 && (named[0] === ORGANIZATIONS || DOMAIN.test(named[0] ?? ''))) return [];
  const odd = named.find((tenant) => !GUID.test(tenant));
  if (odd === undefined && named.length > 0) return [];
  const expected = 'expected a tenant id, a domain of the tenant, organizations, or several tenant ids';
  return refuse(odd === undefined ? expected : `${expected} (got ${JSON.stringify(odd)})`);
}
