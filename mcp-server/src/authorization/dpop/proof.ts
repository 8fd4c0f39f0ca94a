/**
 * Owns the check of a DPoP proof (RFC 9449 §4.3): the sender of a token has the key that the token is bound to,
 * now, for this request. Cheap checks come first. The key is compared with the token's before it is used, and only
 * a valid proof is recorded as used.
 */
import { hash } from 'node:crypto';
import type { Clock } from '@mcp-oauth/shared/clock';
import { type CryptoKey, decodeJwt, decodeProtectedHeader, type JWK, type JWTPayload, jwtVerify } from 'jose';
import { type Finding, shown, shownTime } from '../finding.ts';
import type { Principal } from '../principal.ts';
import { TokenError } from '../token-error.ts';
import type { Nonces } from './nonces.ts';
import { ProofError, type ProofReason } from './proof-error.ts';
import { createProofKeys, thumbprintOf } from './proof-key.ts';
import type { ReplayMemory } from './replay-memory.ts';

/** The request that a proof has to match. */
interface ProvenRequest {
  /** The value of the `DPoP` header. */
  readonly proof: string | undefined;
  readonly method: string;
  /** The public URL, without query and fragment. */
  readonly url: string;
  readonly token: string;
  /** The principal of the token; it has a `keyThumbprint`. */
  readonly principal: Principal;
}

/**
 * @returns a nonce for the client's next proof, when the client needs one
 * @throws ProofError or TokenError
 */
export type VerifyProof = (request: ProvenRequest) => Promise<string | undefined>;

export interface ProofVerifierOptions {
  readonly nonces: Nonces;
  /** Whether every proof needs a nonce; else only one with a wrong `iat` does. */
  readonly nonceRequired: boolean;
  readonly replays: ReplayMemory;
  readonly clock: Clock;
  /** Seconds by which the clocks of a client and of this machine may differ. */
  readonly clockTolerance: number;
}

/** All asymmetric. A proof contains its own key, so the algorithm is checked against this list only. */
export const PROOF_ALGORITHMS = ['ES256', 'ES384', 'Ed25519', 'EdDSA', 'PS256', 'RS256'] as const;

const TYPE = 'dpop+jwt';

/** Seconds after `iat` for which a proof without a nonce is valid. */
const WINDOW = 60;

/** Maximum characters; a proof with an RSA key of 4,096 bits has about 2,000. */
const MAX_PROOF_LENGTH = 4_096;

export function createProofVerifier(options: ProofVerifierOptions): VerifyProof {
  const keys = createProofKeys();
  return async (request) => {
    const { proof, jwk, algorithm, claims } = read(request.proof);
    const thumbprint = thumbprintOf(jwk);
    requireSameRequest(claims, request);
    const end = await freshUntil(claims, options);
    const { keyThumbprint } = request.principal;
    if (thumbprint !== keyThumbprint) {
      const finding = { claim: 'cnf', expected: `a proof of the key ${keyThumbprint}`, found: thumbprint };
      throw new TokenError('bound_to_another_key', finding);
    }
    const key = await keys.open(jwk, algorithm, thumbprint);
    await requireSignature(proof, key, options.clock);
    await requireFirstUse(`${thumbprint}.${claims.jti}`, end, options);
    return claims.nonce !== undefined && options.nonces.isAgeing(end) ? options.nonces.current() : undefined;
  };
}

interface Decoded {
  readonly proof: string;
  readonly jwk: JWK;
  readonly algorithm: string;
  readonly claims: JWTPayload;
}

/** §4.3 checks 1, 2, 4 and 5. */
function read(proof: string | undefined): Decoded {
  if (!proof) throw new ProofError('proof_missing');
  // Node joins several headers with commas, so this also refuses more than one proof.
  if (proof.length > MAX_PROOF_LENGTH || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(proof))
    throw new ProofError('proof_malformed');
  const { typ, alg: algorithm = '', jwk } = decoded(() => decodeProtectedHeader(proof));
  if (typ !== TYPE) throw refused('proof_type', { header: 'typ', expected: TYPE, found: typ });
  if (!PROOF_ALGORITHMS.some((known) => known === algorithm)) {
    throw refused('proof_algorithm', { header: 'alg', expected: PROOF_ALGORITHMS, found: algorithm });
  }
  if (!jwk) throw new ProofError('proof_key');
  return { proof, jwk, algorithm, claims: decoded(() => decodeJwt(proof)) };
}

const refused = (reason: ProofReason, { found, ...finding }: Finding): ProofError =>
  new ProofError(reason, { finding: { ...finding, found: shown(found) } });

function decoded<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw new ProofError('proof_malformed', { cause });
  }
}

/** §4.3 checks 3, 8, 9 and 12. */
function requireSameRequest(claims: JWTPayload, { method, url, token }: ProvenRequest): void {
  const { jti, iat, htm, htu, ath, nonce } = claims;
  const complete = typeof jti === 'string' && jti !== '' && typeof iat === 'number' && typeof htu === 'string';
  if (!complete || (nonce !== undefined && typeof nonce !== 'string')) throw new ProofError('proof_malformed');
  if (htm !== method) throw refused('proof_method', { claim: 'htm', expected: method, found: htm });
  if (htu !== url && !isSameUrl(htu, url)) {
    throw refused('proof_url', { claim: 'htu', expected: url, found: withoutQuery(htu), setting: 'PUBLIC_URL' });
  }
  if (ath !== hash('sha256', token, 'base64url')) throw new ProofError('proof_of_another_token');
}

/** A query may contain a secret. */
const withoutQuery = (url: string): string => url.replace(/[?#].*$/s, '');

/** Compares as normalized by RFC 3986 §6.2.2 and §6.2.3, without query and fragment. */
function isSameUrl(htu: string, url: string): boolean {
  const [claimed, actual] = [URL.parse(htu), URL.parse(url)];
  if (!claimed || !actual || claimed.username || claimed.password) return false;
  return claimed.origin === actual.origin && claimed.pathname === actual.pathname;
}

/**
 * §4.3 checks 10 and 11. A nonce has this server's time, which is more reliable than the client's clock. A client
 * with a wrong clock gets a nonce instead of a refusal that it can't resolve.
 */
async function freshUntil(
  { nonce, iat = 0 }: JWTPayload,
  { nonces, nonceRequired, clock, clockTolerance }: ProofVerifierOptions,
): Promise<number> {
  const now = clock.now();
  const end = (iat + WINDOW + clockTolerance) * 1000;
  const inTime = end > now && iat * 1000 <= now + clockTolerance * 1000;
  try {
    const known = typeof nonce === 'string' ? await nonces.end(nonce) : inTime && !nonceRequired && end;
    if (known) return known;
    const finding = nonceFinding({ nonce, iat }, { now, nonceRequired, clockTolerance });
    throw new ProofError('nonce_wanted', { nonce: await nonces.current(), finding });
  } catch (error) {
    throw error instanceof ProofError ? error : new ProofError('replays_unknown', { cause: error });
  }
}

interface Freshness {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly nonceRequired: boolean;
  readonly clockTolerance: number;
}

function nonceFinding({ nonce, iat = 0 }: JWTPayload, { now, nonceRequired, clockTolerance }: Freshness): Finding {
  if (nonce !== undefined) return { claim: 'nonce', expected: 'a current nonce of this server' };
  if (nonceRequired) return { claim: 'nonce', found: 'nothing', setting: 'DPOP_NONCE_REQUIRED' };
  const [from, to] = [now / 1000 - WINDOW - clockTolerance, now / 1000 + clockTolerance];
  const expected = `a nonce, or iat from ${shownTime(from)} to ${shownTime(to)}`;
  return { claim: 'iat', expected, found: shownTime(iat), setting: 'CLOCK_TOLERANCE' };
}

/** §4.3 check 6. */
async function requireSignature(proof: string, key: CryptoKey, clock: Clock): Promise<void> {
  try {
    await jwtVerify(proof, key, { typ: TYPE, currentDate: new Date(clock.now()) });
  } catch (cause) {
    throw new ProofError('proof_signature', { cause });
  }
}

/**
 * §11.1. The client chooses `jti`, so it is recorded together with the key: no client can use up another one's
 * value.
 */
async function requireFirstUse(name: string, end: number, { replays, clock }: ProofVerifierOptions): Promise<void> {
  const ttl = Math.max(1, end - clock.now());
  const first = await replays.firstUse(hash('sha256', name, 'base64url'), ttl).catch((cause: unknown) => {
    throw new ProofError('replays_unknown', { cause });
  });
  if (!first) throw new ProofError('proof_used_twice');
}
