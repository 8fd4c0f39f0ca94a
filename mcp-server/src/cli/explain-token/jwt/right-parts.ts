/** Owns what is shown of the parts of a token that are right. */
import { valueAt } from '@mcp-oauth/shared/claim-path';
import { shown, shownTime } from '../../../authorization/finding.ts';
import type { Principal } from '../../../authorization/principal.ts';
import type { TokenRules } from '../../../authorization/token/rules.ts';
import { CHECKS, type Check, type CheckName, textOf } from '../check.ts';
import type { DecodedToken } from './stand-in.ts';

interface Facts {
  /** Absent: the issuer is not known. */
  readonly rules: TokenRules | undefined;
  /** Absent: a fault hides what comes after it. */
  readonly principal: Principal | undefined;
  readonly refused: ReadonlySet<CheckName>;
}

export function partsThatAreRight(decoded: DecodedToken, { rules, principal, refused }: Facts): readonly Check[] {
  const last = Math.max(...[...refused].map((check) => CHECKS.indexOf(check)));
  const isChecked = (check: CheckName) =>
    !refused.has(check) && (principal !== undefined || CHECKS.indexOf(check) < last);
  const said: readonly (readonly [CheckName, string | undefined, string?])[] = [
    ['form', 'JWT'],
    ['issuer', one(decoded.claims.iss)],
    ['type', one(decoded.header.typ ?? 'none')],
    ['algorithm', one(decoded.header.alg)],
    ['expiry', textOf(shownTime(decoded.claims.exp))],
    ['start', startOf(decoded)],
    ['audience', audienceOf(decoded, rules)],
    ['required claims', rules?.requiredClaims.map(({ path }) => named(decoded, path)).join(', ')],
    ['subject', one(principal?.subject)],
    ['client', one(principal?.clientId ?? '')],
  ];
  return said
    .filter(([check, found]) => isChecked(check) && found)
    .map(([check, found]) => ({ check, result: 'accepted', found }));
}

/** A claim may be long, and of any type. */
const one = (value: unknown): string | undefined => textOf(shown(value));

const named = ({ claims }: DecodedToken, path: string): string => `${path}=${one(valueAt(claims, path))}`;

function startOf({ claims }: DecodedToken): string | undefined {
  const times = (['iat', 'nbf'] as const).filter((name) => claims[name] !== undefined);
  return times.map((name) => `${name} ${textOf(shownTime(claims[name]))}`).join(', ') || undefined;
}

function audienceOf(decoded: DecodedToken, rules: TokenRules | undefined): string | undefined {
  const { aud } = decoded.claims;
  if (aud !== undefined && aud !== null) return one(aud);
  return rules?.audienceClaim && named(decoded, rules.audienceClaim.path);
}
