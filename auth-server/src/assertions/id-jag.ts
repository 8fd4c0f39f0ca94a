/**
 * Owns what an ID-JAG says (draft-ietf-oauth-identity-assertion-authz-grant-04 §3.1, §4.4.1): who the person is at the identity provider,
 * which client may act for them, at which resource and with which scopes. Pure: the caller has checked the signature.
 */
import type { JsonObject } from '@mcp-oauth/shared/json';
import { type AssertionExpected, type CommonClaims, readCommonClaims, requiredText } from './claims.ts';
import { AssertionRefused } from './refused.ts';

/** The `typ` of an ID-JAG, and of nothing else (§3.1). */
export const ID_JAG_TYPE = 'oauth-id-jag+jwt';
/** Named in the metadata of a server that accepts ID-JAGs (§7.2). */
export const ID_JAG_PROFILE = 'urn:ietf:params:oauth:grant-profile:id-jag';

/** An identity provider whose ID-JAGs are accepted. */
export interface EnterpriseIssuer {
  readonly id: string;
  readonly issuer: string;
  readonly algorithms: readonly string[];
  /** The id of the connector with which the same people sign in. */
  readonly connector: string;
  /** Our client id, by the client id in the ID-JAG. */
  readonly clients: ReadonlyMap<string, string>;
  /** The most scopes that its ID-JAGs can give. */
  readonly scopes: readonly string[];
  /** Identifiers of the resources that its ID-JAGs may be about. Absent: all. */
  readonly resources?: readonly string[] | undefined;
  /** Seconds that a token lives at most. */
  readonly tokenLifetime: number;
  /** The `tenant` of its people, if it has several tenants. */
  readonly tenant?: string | undefined;
  /** Whether clients without a secret or key may present its ID-JAGs. */
  readonly publicClients: boolean;
}

export interface IdJag extends CommonClaims {
  readonly claims: JsonObject;
  readonly jti: string;
  /** Our id of the client that may present it. */
  readonly clientId: string;
  readonly resource: string;
  /** Absent: the identity provider limits the scopes by nothing. */
  readonly scope?: string | undefined;
  /** Thumbprint of the key that it is bound to (RFC 9449 §6.1). */
  readonly jkt?: string | undefined;
}

/** Seconds that an ID-JAG may be valid in all: it is short-lived, and those of the draft have 5 to 17 minutes. */
const LONGEST = 1_800;

/** @throws AssertionRefused */
export function readIdJag(
  claims: JsonObject,
  issuer: EnterpriseIssuer,
  expected: Pick<AssertionExpected, 'audience' | 'now'>,
): IdJag {
  const common = readCommonClaims(claims, { ...expected, longest: LONGEST });
  checkTenant(claims, issuer);
  return {
    ...common,
    claims,
    jti: requiredText(claims, 'jti'),
    clientId: clientIn(claims, issuer),
    resource: resourceIn(claims, issuer),
    scope: scopeIn(claims),
    jkt: keyIn(claims),
  };
}

/** §3.1: at an issuer with several tenants, a subject is unique within its tenant only. */
function checkTenant({ tenant }: JsonObject, issuer: EnterpriseIssuer): void {
  if (tenant === issuer.tenant) return;
  const facts = { claim: 'tenant', expected: issuer.tenant ?? 'nothing', found: tenant };
  throw new AssertionRefused('tenant', 'it is for people of another tenant', facts);
}

function clientIn(claims: JsonObject, { clients }: EnterpriseIssuer): string {
  const named = requiredText(claims, 'client_id');
  const ours = clients.get(named);
  if (ours !== undefined) return ours;
  const facts = { claim: 'client_id', expected: [...clients.keys()], found: named };
  throw new AssertionRefused('client', 'its client is not one that the issuer may speak for', facts);
}

/** A token has one audience, so an ID-JAG has one resource. Without any, the operator must have said which one is meant. */
function resourceIn({ resource }: JsonObject, { resources = [] }: EnterpriseIssuer): string {
  const [only, ...others] = resource === undefined ? resources : [resource].flat();
  if (typeof only === 'string' && only !== '' && others.length === 0) return only;
  const facts = { claim: 'resource', expected: 'one resource', found: resource };
  throw new AssertionRefused('resource', 'it does not name one resource', facts);
}

function scopeIn({ scope, authorization_details: details }: JsonObject): string | undefined {
  if (typeof scope === 'string') return scope;
  if (scope !== undefined) {
    throw new AssertionRefused('scope', 'scope is not a text', { claim: 'scope', found: scope });
  }
  // RFC 9396: what they allow is not known here, and no limit at all would be more.
  if (details !== undefined) {
    throw new AssertionRefused('scope', 'it has authorization_details without scope', {
      claim: 'authorization_details',
    });
  }
  return undefined;
}

function keyIn({ cnf }: JsonObject): string | undefined {
  if (cnf === undefined) return undefined;
  const { jkt, ...others } = (cnf ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof jkt === 'string' && jkt !== '' && Object.keys(others).length === 0) return jkt;
  throw new AssertionRefused('proof', 'cnf names no key that can be proved here', { claim: 'cnf', found: cnf });
}
