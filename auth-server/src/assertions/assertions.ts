/**
 * Owns which issuer an assertion is read for, and by which rules (RFC 7523 §3): `typ` decides between the ID-JAG of an identity provider
 * and the JWT of a workload. Each kind has its own issuers, so an issuer of one kind is unknown to the other.
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { JsonObject } from '@mcp-oauth/shared/json';
import { type EnterpriseIssuer, ID_JAG_TYPE, type IdJag, readIdJag } from './id-jag.ts';
import { AssertionRefused } from './refused.ts';
import { readUnverified, type UnverifiedJwt } from './signed/jwt.ts';
import { checkSignature, type IssuerKeys } from './signed/signature.ts';
import { readWorkload, rulesAbout, type Workload, type WorkloadIssuer } from './workload/workload.ts';

export type ReadAssertion =
  | { readonly kind: 'id-jag'; readonly issuer: EnterpriseIssuer; readonly idJag: IdJag }
  | { readonly kind: 'workload'; readonly issuer: WorkloadIssuer; readonly workload: Workload };

export interface Assertions {
  /**
   * The client of the first rule that an unverified JWT of a workload fits: a workload need not know any client id. Nothing is believed
   * of it, because the rules are asked again after the signature.
   * @param isMeant whether a rule about this resource is meant
   * @returns `undefined` for an ID-JAG, whose client names itself
   * @throws AssertionRefused if no rule fits
   */
  clientOf(compact: string, isMeant: (resource: string) => boolean): string | undefined;
  /** @throws AssertionRefused, IssuerUnavailable */
  read(compact: string): Promise<ReadAssertion>;
}

interface Dependencies {
  /** The issuer identifier of this server. */
  readonly audience: string;
  readonly enterprise: readonly EnterpriseIssuer[];
  readonly workload: readonly WorkloadIssuer[];
  readonly keysOf: (issuer: EnterpriseIssuer | WorkloadIssuer) => IssuerKeys;
  readonly clock: Clock;
}

export function createAssertions({ audience, enterprise, workload, keysOf, clock }: Dependencies): Assertions {
  const keys = new Map<object, IssuerKeys>([...enterprise, ...workload].map((issuer) => [issuer, keysOf(issuer)]));

  async function issuerOf<T extends EnterpriseIssuer | WorkloadIssuer>(jwt: UnverifiedJwt, known: readonly T[]) {
    const issuer = trustedIn(jwt.claims, known);
    await checkSignature(jwt, issuer.algorithms, keys.get(issuer) as IssuerKeys);
    return issuer;
  }

  return {
    clientOf: (compact, isMeant) => {
      const { header, claims } = readUnverified(compact);
      if (isIdJag(header.typ)) return undefined;
      const rule = rulesAbout(claims, trustedIn(claims, workload)).find(({ resource }) => isMeant(resource));
      if (rule) return rule.client;
      const facts = { claim: 'sub', found: claims.sub };
      throw new AssertionRefused('rules', 'no rule is about it, and it came without a client id', facts);
    },
    read: async (compact) => {
      const jwt = readUnverified(compact);
      if (isIdJag(jwt.header.typ)) {
        const issuer = await issuerOf(jwt, enterprise);
        return { kind: 'id-jag', issuer, idJag: readIdJag(jwt.claims, issuer, { audience, now: seconds(clock) }) };
      }
      const issuer = await issuerOf(jwt, workload);
      return { kind: 'workload', issuer, workload: readWorkload(jwt, issuer, seconds(clock)) };
    },
  };
}

/** @throws AssertionRefused for an issuer that is not among these */
function trustedIn<T extends { readonly issuer: string }>({ iss }: JsonObject, known: readonly T[]): T {
  const issuer = known.find((one) => one.issuer === iss);
  if (issuer) return issuer;
  const facts = { claim: 'iss', expected: known.map((one) => one.issuer), found: iss };
  throw new AssertionRefused('issuer', 'iss is not a trusted issuer of this kind', facts);
}

/** @throws AssertionRefused for another spelling, which must not make a workload of it either */
function isIdJag(typ: string | undefined): boolean {
  if (typ === ID_JAG_TYPE) return true;
  if (typ?.toLowerCase().replace(/^application\//, '') !== ID_JAG_TYPE) return false;
  const facts = { claim: 'typ', expected: ID_JAG_TYPE, found: typ };
  throw new AssertionRefused('typ', 'typ is not exactly the one of an ID-JAG', facts);
}
