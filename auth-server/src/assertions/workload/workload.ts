/**
 * Owns what the JWT of a workload says (RFC 7523 §3), and which rule of the operator gives it a token: a machine that a platform such as
 * GitHub Actions or Kubernetes identifies. No rule, no token. Pure: the caller has checked the signature.
 */
import { valueAt } from '@mcp-oauth/shared/claim-path';
import type { JsonObject } from '@mcp-oauth/shared/json';
import { type AssertionExpected, type CommonClaims, readCommonClaims } from '../claims.ts';
import { AssertionRefused } from '../refused.ts';
import type { UnverifiedJwt } from '../signed/jwt.ts';
import type { WorkloadRule } from './rules.ts';

/** An issuer whose workloads may get tokens. */
export interface WorkloadIssuer {
  readonly id: string;
  readonly issuer: string;
  readonly algorithms: readonly string[];
  /** The `aud` of its JWTs. */
  readonly audience: string;
  readonly rules: readonly WorkloadRule[];
  /** Seconds that a token lives at most. */
  readonly tokenLifetime: number;
}

export interface Workload extends CommonClaims {
  readonly claims: JsonObject;
}

/** Seconds that the JWT of a workload may be valid in all. Kubernetes gives an hour, and on request a day. */
const LONGEST = 86_400;

/** Values of `typ`, in lower case, that a platform gives the identity of a workload: a JWT of another use has another one (RFC 8725 §3.11). */
const TYPES: readonly (string | undefined)[] = ['jwt', 'jose', undefined];

/** @throws AssertionRefused */
export function readWorkload(
  { header: { typ }, claims }: UnverifiedJwt,
  { audience }: WorkloadIssuer,
  now: AssertionExpected['now'],
): Workload {
  if (!TYPES.includes(typ?.toLowerCase())) {
    throw new AssertionRefused('typ', 'it is a JWT of another kind', { claim: 'typ', expected: 'JWT', found: typ });
  }
  return { claims, ...readCommonClaims(claims, { audience, now, longest: LONGEST }) };
}

interface WorkloadRequest {
  readonly clientId: string;
  /** Whether a rule about this resource is meant. */
  readonly isMeant: (resource: string) => boolean;
}

/** The rules that these claims fit, in their order. */
export const rulesAbout = (claims: JsonObject, { rules }: WorkloadIssuer): readonly WorkloadRule[] =>
  rules.filter(({ when }) => when.every(({ claim, fits }) => fits(valueAt(claims, claim))));

/** The first rule that fits. @throws AssertionRefused without any */
export function ruleFor(
  { claims, subject }: Workload,
  issuer: WorkloadIssuer,
  { clientId, isMeant }: WorkloadRequest,
): WorkloadRule {
  const fitting = rulesAbout(claims, issuer);
  const rule = fitting.find(({ client, resource }) => client === clientId && isMeant(resource));
  if (rule) return rule;
  const why = fitting.length === 0 ? 'no rule is about it' : 'no rule is about it with this client and resource';
  throw new AssertionRefused('rules', why, { claim: 'sub', found: subject });
}

/**
 * The `sub` of its tokens. The subject of a person has no colon, a client id has no scheme, and the subject of a service begins with
 * another word: so no workload can be taken for one of them (RFC 9068 §5).
 */
export const workloadSubject = ({ id }: WorkloadIssuer, { subject }: WorkloadRule): string =>
  `workload:${id}:${subject}`;
