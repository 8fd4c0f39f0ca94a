/**
 * Owns the validation of an id token (OpenID Connect Core 1.0 §3.1.3.7): signature, issuer, audience, nonce and times. Each refusal
 * names the claim, the expected value and the value found. Claims that are not needed are not checked.
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { fittingKeys, type PublicKey } from '@mcp-oauth/shared/documents/key-set';
import { compactVerify, decodeProtectedHeader } from 'jose';
import { UpstreamError, type UpstreamFacts } from '../../federation/connector.ts';
import type { Remembered } from '../../federation/upstream/remembered.ts';
import type { Claims } from './claims.ts';

export interface SignedBy {
  readonly issuer: string;
  readonly clientId: string;
  readonly algorithms: readonly string[];
  readonly keys: Remembered<readonly PublicKey[]>;
}

export interface Expectation extends SignedBy {
  /** The `iss` that these claims must have. Absent: `issuer`. */
  readonly issuerOf?: ((claims: Claims, issuer: string) => string) | undefined;
  readonly nonce: string;
  readonly clock: Clock;
}

export type IdTokenClaims = Claims & { readonly iss: string; readonly sub: string };

/** Seconds by which two clocks may differ. */
const SKEW = 30;

const refuse = (claim: string, message: string, facts: UpstreamFacts = {}): never => {
  throw new UpstreamError('invalid_answer', `the id token was refused: ${message}`, { claim, ...facts });
};

/** @throws UpstreamError */
export async function readIdToken(token: unknown, expected: Expectation): Promise<IdTokenClaims> {
  if (typeof token !== 'string' || token === '') {
    throw new UpstreamError('invalid_answer', 'the upstream sent no id token', {
      claim: 'id_token',
      found: shapeOf(token),
    });
  }
  const claims = claimsIn(await verifiedPayload(token, expected));
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
  const claims = claimsIn(await verifiedPayload(token, expected));
  const { iss = expected.issuer, aud = expected.clientId } = claims;
  if (iss !== expected.issuer || ![aud].flat().includes(expected.clientId)) {
    refuse('iss', 'its issuer or audience is wrong', { found: shown(iss) });
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
  if (nbf !== undefined && nbf !== null) {
    if (!isTime(nbf)) refuse('nbf', 'nbf is not a time', { expected: 'a number', found: shown(nbf) });
    else if (nbf > now + SKEW) refuse('nbf', 'nbf is in the future', { expected: `by ${now + SKEW}`, found: nbf });
  }
  if (nonce !== claims.nonce) {
    const found = typeof claims.nonce === 'string' && claims.nonce !== '' ? 'another value' : shown(claims.nonce);
    refuse('nonce', 'nonce is not the one of this sign-in', { expected: 'the nonce that was sent', found });
  }
  if (typeof sub !== 'string') refuse('sub', 'sub is not text', { expected: 'a string', found: shown(sub) });
}

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** The form of a value of any type in the log. */
const shown = (value: unknown): unknown => (value === undefined ? 'nothing' : value === null ? 'null' : value);

const shapeOf = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 20));

async function verifiedPayload(token: string, { algorithms, keys }: SignedBy): Promise<Uint8Array> {
  const { alg, kid } = headerOf(token, algorithms);
  const candidates = fittingKeys(await keys.get(), { alg, kid });
  const faults = new Set<string>();
  const payload =
    (await signedBy(candidates, token, { alg, faults })) ??
    (await signedByNewKeys(candidates, token, { alg, kid, keys, faults }));
  if (payload) return payload;
  const known = (await keys.get()).map((key) => `${key.kid ?? 'no kid'} (${key.alg ?? key.kty})`);
  const message = faults.size > 0 ? 'no key of the provider matches its signature' : 'the provider has no key for it';
  return refuse('kid', [message, ...[...faults].filter((fault) => fault !== NOT_ITS_KEY)].join('; '), {
    expected: known,
    found: `${shown(kid)} (${alg})`,
  });
}

function headerOf(token: string, algorithms: readonly string[]): { readonly alg: string; readonly kid: unknown } {
  if (token.split('.').length === 5) refuse('id_token', 'it is encrypted, which this server did not request');
  const { alg, kid, crit } = decoded(token);
  if (typeof alg !== 'string' || !algorithms.includes(alg)) {
    refuse('alg', 'its signature algorithm is not one that the metadata announces', {
      expected: algorithms,
      found: shown(alg),
    });
  }
  if (crit !== undefined) refuse('crit', 'it requires an extension', { expected: 'nothing', found: shown(crit) });
  return { alg: String(alg), kid };
}

function decoded(token: string): Readonly<Record<string, unknown>> {
  try {
    return decodeProtectedHeader(token) as Readonly<Record<string, unknown>>;
  } catch {
    return refuse('id_token', 'it is not a JWT');
  }
}

/** Error code of jose for a usable key that did not make the signature. */
const NOT_ITS_KEY = 'signature verification failed';

interface Trial {
  readonly alg: string;
  /** Why the keys that were tried failed: one may be too short. */
  readonly faults: Set<string>;
}

interface Search extends Trial {
  readonly kid: unknown;
  readonly keys: SignedBy['keys'];
}

/** RFC 7517 §4.5: the provider may have changed its keys since they were read, even under the same `kid`. */
async function signedByNewKeys(tried: readonly PublicKey[], token: string, { keys, ...search }: Search) {
  const candidates = fittingKeys(await keys.renew(), search);
  const fresh = candidates.filter((key) => !tried.includes(key));
  return signedBy(fresh, token, search);
}

async function signedBy(candidates: readonly PublicKey[], token: string, { alg, faults }: Trial) {
  for (const key of candidates) {
    try {
      return (await compactVerify(token, key as Parameters<typeof compactVerify>[1], { algorithms: [alg] })).payload;
    } catch (error) {
      // Try the next key; if all fail, the refusal lists the reasons.
      faults.add(error instanceof Error ? error.message : String(error));
    }
  }
  return undefined;
}

/** Strict about the encoding: replacement characters could make two subjects equal. */
function claimsIn(payload: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) {
      return claims as Readonly<Record<string, unknown>>;
    }
  } catch {
    // Refused below like any other invalid payload.
  }
  return refuse('id_token', 'its payload is not a JSON object');
}
