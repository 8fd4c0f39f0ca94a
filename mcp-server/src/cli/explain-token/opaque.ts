/** Owns the explanation of an opaque token: what the issuer says about it is known only by asking (RFC 7662), as the server does. */
import { shownTime } from '../../authorization/finding.ts';
import type { Principal } from '../../authorization/principal.ts';
import { TokenError } from '../../authorization/token-error.ts';
import { type Check, checkOf, refusedBy, textOf } from './check.ts';
import { type Explanation, explained, HIDES, type Way } from './explanation.ts';
import type { Inspection } from './inspection.ts';
import { verdict } from './jwt/faults.ts';
import { rightsOf } from './rights.ts';

const OFFLINE = 'offline: only the issuer knows what this token says';

export async function explainOpaque(token: string, inspection: Inspection, way: Way): Promise<Explanation> {
  const form: Check = { check: 'form', result: 'accepted', found: 'opaque' };
  if (way.offline) return explained([form, { check: 'introspection', result: 'unchecked', note: OFFLINE }], undefined);
  const { verify } = inspection.authorization();
  const whole = await verdict((async () => verify(token))());
  if (!(whole instanceof TokenError)) {
    return explained([form, ...partsOf(whole), ...rightsOf(whole, inspection, new Set())], whole);
  }
  const asked = inspection.config.issuers.find(({ introspection }) => introspection);
  const check = checkOf(whole);
  const refused: Check = { check, ...refusedBy(whole, asked?.rules[0]?.variable ?? ((name) => name)), note: HIDES };
  const fault = whole.reason === 'introspection_unavailable' ? { ...refused, found: way.whyUnavailable() } : refused;
  return explained(check === 'form' ? [fault] : [form, fault], undefined);
}

const partsOf = ({ issuer, expiresAt, subject, clientId }: Principal): readonly Check[] =>
  (
    [
      ['introspection', 'active'],
      ['issuer', issuer],
      ['expiry', textOf(shownTime(expiresAt))],
      ['subject', subject],
      ['client', clientId],
    ] as const
  )
    .filter(([, found]) => found !== undefined)
    .map(([check, found]) => ({ check, result: 'accepted', found }));
