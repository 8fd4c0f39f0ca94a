/** Owns the explanation of a JWT: what the verifier of this server says about it as a whole, and about each of its parts. */
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { shown } from '../../../authorization/finding.ts';
import type { Principal } from '../../../authorization/principal.ts';
import { TokenError } from '../../../authorization/token-error.ts';
import { CHECKS, type Check, checkOf, isUnreadable, refusedBy, textOf } from '../check.ts';
import { type Explanation, explained, HIDES, type Way } from '../explanation.ts';
import type { Inspection } from '../inspection.ts';
import { rightsOf } from '../rights.ts';
import { findFaults, verdict } from './faults.ts';
import { listedStatus } from './listed-status.ts';
import { partsThatAreRight } from './right-parts.ts';
import { createStandIn, type DecodedToken } from './stand-in.ts';

type Verdict = Principal | TokenError;

export async function explainJwt(token: string, inspection: Inspection, way: Way): Promise<Explanation> {
  const standIn = createStandIn(inspection);
  const { verify: verifyWhole, statusLists } = inspection.authorization();
  const verify = way.offline ? standIn.verifyForm : verifyWhole;
  const whole = await verdict((async () => verify(token))());
  if (whole instanceof TokenError && isUnreadable(whole)) {
    return { checks: [{ check: 'form', ...refusedBy(whole, (name) => name) }] };
  }
  const decoded: DecodedToken = { header: { ...decodeProtectedHeader(token) }, claims: decodeJwt(token) };
  const all = inspection.config.issuers.flatMap(({ rules }) => rules);
  const rulesOf = (issuer: unknown) => all.find((rules) => rules.issuer === issuer);
  const now = Math.floor(inspection.clock.now() / 1000);
  const { faults, principal } = await findFaults(decoded, { verify: standIn.verify, rulesOf, now });
  const rules = rulesOf(decoded.claims.iss) ?? (all.length === 1 ? all[0] : undefined);
  const keySetting = inspection.config.issuers.find((one) => rules && one.rules.includes(rules))?.keySetting;
  const errors = way.offline ? faults : together(whole, faults);
  const refusals = errors.map((error, index): Check => {
    const refused = { check: checkOf(error), ...refusedBy(error, rules?.variable ?? ((name) => name)) };
    if (error.reason === 'keys_unavailable') return { ...refused, found: way.whyUnavailable(), setting: keySetting };
    return !principal && index === errors.length - 1 ? { ...refused, note: HIDES } : refused;
  });
  const isWhole = !way.offline && !(whole instanceof TokenError);
  const refused = new Set(refusals.map(({ check }) => check));
  const checks = [
    ...refusals,
    ...signatureOf(whole, decoded, way),
    ...(refused.has('status') ? [] : listedStatus(principal, isWhole ? statusLists : undefined)),
    ...partsThatAreRight(decoded, { rules, principal, refused }),
    ...(principal ? rightsOf(principal, inspection, refused) : []),
  ];
  return explained(checks, principal);
}

/** The refusal of the whole token first: the server gives this reason. */
function together(whole: Verdict, faults: readonly TokenError[]): readonly TokenError[] {
  if (!(whole instanceof TokenError)) return faults;
  const isSame = (fault: TokenError) =>
    checkOf(fault) === checkOf(whole) && fault.finding.claim === whole.finding.claim;
  return [whole, ...faults.filter((fault) => !isSame(fault))];
}

const isBefore = (check: Check['check'], other: Check['check']): boolean =>
  CHECKS.indexOf(check) < CHECKS.indexOf(other);

function signatureOf(whole: Verdict, { header }: DecodedToken, { offline }: Way): readonly Check[] {
  const name = textOf(shown(header.kid ?? ''));
  const about = { check: 'signature', found: name && `key ${name}` } as const;
  if (offline) return [{ ...about, result: 'unchecked', note: 'offline: anybody may have written this token' }];
  if (!(whole instanceof TokenError)) return [{ ...about, result: 'accepted' }];
  const check = checkOf(whole);
  if (check === 'signature') return [];
  if (isBefore('signature', check)) return [{ ...about, result: 'accepted' }];
  return [{ ...about, result: 'unchecked', note: `the server refuses the ${check} first` }];
}
