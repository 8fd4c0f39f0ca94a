/**
 * Owns the validation of an id token (OpenID Connect Core 1.0 §3.1.3.7): signature, issuer, audience, nonce and times. Each refusal
 * names the claim, the expected value and the value found. Claims that are not needed are not checked.
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { UpstreamError } from '../../federation/connector.ts';
import type { Claims } from './claims.ts';
import { refusing, type SignedBy, shown, verified } from './signature.ts';

export interface Expectation extends SignedBy {
  /** The `iss` that these claims must have. Absent: `issuer`. */
  readonly issuerOf?: ((claims: Claims, issuer: string) => string) | undefined;
  /** `undefined`: the caller checks it. */
  readonly nonce: string | undefined;
  readonly clock: Clock;
}

export type IdTokenClaims = Claims & { readonly iss: string; readonly sub: string };

/** Seconds by which two clocks may differ. */
export const SKEW = 30;

const refuse = refusing('id token');

/** @throws UpstreamError */
export async function readIdToken(token: unknown, expected: Expectation): Promise<IdTokenClaims> {
  if (typeof token !== 'string' || token === '') {
    throw new UpstreamError('invalid_answer', 'the upstream sent no id token', {
      claim: 'id_token',
      found: shapeOf(token),
    });
  }
  const { claims } = await verified(token, 'id token', expected);
  judge(claims, expected);
  return { ...claims, iss: String(claims.iss), sub: String(claims.sub) };
}

/**
 * Validates a userinfo response that is a JWT (OpenID Connect Core 1.0 §5.3.2): a key of the provider must have signed it, and
 * issuer and audience must match where they are present.
 * @throws UpstreamError
 */
export async function readSignedUserInfo(
  token: string,
  expected: SignedBy,
): Promise<Readonly<Record<string, unknown>>> {
  const { claims } = await verified(token, 'userinfo', expected);
  const { iss = expected.issuer, aud = expected.clientId } = claims;
  if (iss !== expected.issuer || ![aud].flat().includes(expected.clientId)) {
    refusing('userinfo')('iss', 'its issuer or audience is wrong', { found: shown(iss) });
  }
  return claims;
}

function judge(claims: Claims, { clientId, nonce, clock, ...expected }: Expectation): void {
  const { iss, sub, aud, azp, exp, iat, nbf } = claims;
  const issuer = expected.issuerOf?.(claims, expected.issuer) ?? expected.issuer;
  if (iss !== issuer) refuse('iss', 'iss is not the issuer', { expected: issuer, found: shown(iss) });
  const audience: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audience.includes(clientId)) {
    refuse('aud', 'aud does not name this client', { expected: clientId, found: shown(aud) });
  }
  if (audience.length > 1 && azp !== clientId) {
    const message = 'aud names others too, so azp must name this client';
    refuse('azp', message, { expected: clientId, found: `${shown(azp)} beside aud ${JSON.stringify(aud)}` });
  }
  const now = seconds(clock);
  if (!isTime(exp)) refuse('exp', 'exp is not a time', { expected: 'a number', found: shown(exp) });
  else if (exp <= now - SKEW) refuse('exp', 'exp is in the past', { expected: `later than ${now - SKEW}`, found: exp });
  if (!isTime(iat)) refuse('iat', 'iat is not a time', { expected: 'a number', found: shown(iat) });
  judgeNotBefore(nbf, now, refuse);
  if (nonce !== undefined && nonce !== claims.nonce) {
    const found = typeof claims.nonce === 'string' && claims.nonce !== '' ? 'another value' : shown(claims.nonce);
    refuse('nonce', 'nonce is not the one of this sign-in', { expected: 'the nonce that was sent', found });
  }
  if (typeof sub !== 'string') refuse('sub', 'sub is not text', { expected: 'a string', found: shown(sub) });
}

/** RFC 7519 §4.1.5. Some providers send `null` for a claim that is absent. */
export function judgeNotBefore(nbf: unknown, now: number, refuse: ReturnType<typeof refusing>): void {
  if (nbf === undefined || nbf === null) return;
  if (!isTime(nbf)) refuse('nbf', 'nbf is not a time', { expected: 'a number', found: shown(nbf) });
  else if (nbf > now + SKEW) refuse('nbf', 'nbf is in the future', { expected: `by ${now + SKEW}`, found: nbf });
}

export const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

const shapeOf = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 20));
