/** Owns the offline check of an access token: a JWT of RFC 9068, for this resource (RFC 8707), bound to a key or not. */
import type { Clock } from '@mcp-oauth/shared/clock';
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import type { KeyName } from './key-set.ts';
import type { KeySource } from './key-source.ts';
import type { Principal } from './principal.ts';
import { TokenError, type TokenReason } from './token-error.ts';

/**
 * Who a token stands for: at once when that is known already. A principal with a `keyThumbprint` has yet to show that key.
 * Rejects with a TokenError.
 */
export type VerifyToken = (token: string) => Principal | Promise<Principal>;

export interface TokenVerifierOptions {
  /** Compared with `iss` character by character. */
  readonly issuer: string;
  /** Every identifier of this resource; one of them must be in `aud`. */
  readonly audiences: readonly string[];
  readonly keySource: KeySource;
  readonly clock: Clock;
  readonly algorithms: readonly string[];
  /** Accepted `typ` headers. */
  readonly types: readonly string[];
  /** Seconds that the clocks of the issuer and of this machine may differ. */
  readonly clockTolerance: number;
}

/** RFC 6750 §2.1. How long a token may be is decided by MAX_HEADER_SIZE. */
const B64TOKEN = /^[\w\-.~+/]+=*$/;

/** The signature algorithms that can be allowed: all asymmetric, so that a public key is never taken for a secret. */
export const ASYMMETRIC_ALGORITHMS = [
  'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512',
] as const; // biome-ignore format: one list

export function createTokenVerifier(options: TokenVerifierOptions): VerifyToken {
  const types = new Set(options.types.map(mediaType));
  return async (token) => {
    if (!B64TOKEN.test(token)) throw new TokenError('malformed');
    try {
      return toPrincipal(await verifiedClaims(token, keyNameOf(token, options, types), options), options);
    } catch (error) {
      throw toTokenError(error);
    }
  };
}

/** RFC 7515 §4.1.9: media types don't depend on case, and `application/` may be left out. */
const mediaType = (type: string): string => type.toLowerCase().replace(/^application\//, '');

/** Checked before the signature, so that an ID token of the same issuer costs nothing and says clearly what it is. */
function keyNameOf(token: string, { algorithms }: TokenVerifierOptions, types: ReadonlySet<string>): KeyName {
  const { typ, alg, kid } = decodeHeader(token);
  if (typeof typ !== 'string' || !types.has(mediaType(typ))) throw new TokenError('wrong_type');
  if (typeof alg !== 'string' || !algorithms.includes(alg)) throw new TokenError('algorithm');
  if (kid === undefined || kid === null) return { alg, kid: undefined };
  // RFC 7515 §4.1.4: a key id is a string.
  if (typeof kid !== 'string') throw new TokenError('malformed');
  return { alg, kid };
}

/** What anybody has sent: its members can be of any type. */
function decodeHeader(token: string): Readonly<Record<string, unknown>> {
  try {
    return decodeProtectedHeader(token) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new TokenError('malformed', cause);
  }
}

/** RFC 7517 §4.5: the keys are told apart by the signature where their names don't do it. */
async function verifiedClaims(token: string, name: KeyName, options: TokenVerifierOptions): Promise<JWTPayload> {
  const rules = {
    issuer: options.issuer,
    audience: [...options.audiences],
    algorithms: [...options.algorithms],
    clockTolerance: options.clockTolerance,
    currentDate: new Date(options.clock.now()),
    requiredClaims: ['sub', 'exp', 'iat'],
  };
  let failure: unknown;
  for await (const key of options.keySource.candidates(name)) {
    try {
      return (await jwtVerify(token, key, rules)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
      failure = error;
    }
  }
  throw failure;
}

function toPrincipal(claims: JWTPayload, { issuer, clock, clockTolerance }: TokenVerifierOptions): Principal {
  const { sub, client_id, azp, exp, iat = 0, cnf } = claims;
  const clientId = client_id ?? azp;
  if (!isName(sub) || !isName(clientId) || exp === undefined || exp === Infinity) throw new TokenError('missing_claim');
  if (iat > clock.now() / 1000 + clockTolerance) throw new TokenError('not_yet_valid');
  const principal = { issuer, subject: sub, clientId, scopes: scopesOf(claims), expiresAt: exp };
  return Object.freeze(cnf === undefined ? principal : { ...principal, keyThumbprint: thumbprintOf(cnf) });
}

/** RFC 9449 §6.1. A token that is bound in another way as well, as by RFC 8705 §3, asks for more than is checked here. */
function thumbprintOf(confirmation: unknown): string {
  const { jkt, ...others } = Object(confirmation);
  if (!isName(jkt) || Object.keys(others).length > 0) throw new TokenError('sender_constrained');
  return jkt;
}

/** Half of a surrogate pair would be written as U+FFFD, and two people would become one. */
const isName = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.isWellFormed();

/** RFC 9068 §2.2.3 `scope`, or the `scp` of other issuers, as text or as a list. */
function scopesOf({ scope, scp }: JWTPayload): ReadonlySet<string> {
  const granted: unknown = scope ?? scp;
  if (typeof granted === 'string') return new Set(granted.split(' ').filter(isName));
  return new Set(Array.isArray(granted) ? granted.filter(isName) : []);
}

const FAILED_CLAIMS: Readonly<Record<string, TokenReason>> = {
  iss: 'wrong_issuer',
  aud: 'wrong_audience',
  nbf: 'not_yet_valid',
};

function toTokenError(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return new TokenError('expired', error);
  if (error instanceof errors.JWTClaimValidationFailed) {
    const failed = error.reason === 'check_failed' ? FAILED_CLAIMS[error.claim] : undefined;
    return new TokenError(failed ?? (error.reason === 'missing' ? 'missing_claim' : 'malformed'), error);
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return new TokenError('bad_signature', error);
  if (error instanceof errors.JOSEAlgNotAllowed) return new TokenError('algorithm', error);
  return error instanceof errors.JOSEError ? new TokenError('malformed', error) : error;
}
