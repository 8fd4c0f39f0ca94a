/** Owns the offline check of an access token: a JWT of RFC 9068, for this resource (RFC 8707), bound to a key or not. */
import type { Clock } from '@mcp-oauth/shared/clock';
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { shown, whoIn } from './finding.ts';
import type { KeyName } from './issuer/key-set.ts';
import type { KeySource } from './issuer/key-source.ts';
import { personClaimsOf } from './person-claims.ts';
import type { Principal } from './principal.ts';
import { expectedOf, type Rules, TokenError, toTokenError } from './token-error.ts';

/**
 * Finds the principal of a token: synchronously if the token is cached. A principal with a `keyThumbprint` still
 * has to prove possession of the key. Rejects with a TokenError.
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

/** RFC 6750 §2.1. MAX_HEADER_SIZE limits the length of a token. */
const B64TOKEN = /^[\w\-.~+/]+=*$/;

/** The allowed signature algorithms: all asymmetric, so that a public key is never used as a secret. */
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
      throw toTokenError(error, token, rulesOf(options));
    }
  };
}

const rulesOf = ({ issuer, audiences, clock, clockTolerance }: TokenVerifierOptions): Rules => ({
  issuer,
  audiences,
  now: clock.now() / 1000,
  clockTolerance,
});

/** RFC 7515 §4.1.9: media types are case-insensitive, and `application/` may be left out. */
const mediaType = (type: string): string => type.toLowerCase().replace(/^application\//, '');

/** Checked before the signature: an ID token of the same issuer is cheap to refuse, and gets a precise reason. */
function keyNameOf(token: string, options: TokenVerifierOptions, types: ReadonlySet<string>): KeyName {
  const { algorithms } = options;
  const { typ, alg, kid } = decodeHeader(token);
  if (typeof typ !== 'string' || !types.has(mediaType(typ))) {
    const finding = { header: 'typ', expected: options.types, found: shown(typ), setting: 'TOKEN_TYPES' };
    throw new TokenError('wrong_type', finding);
  }
  if (typeof alg !== 'string' || !algorithms.includes(alg)) {
    const finding = { header: 'alg', expected: algorithms, found: shown(alg), setting: 'TOKEN_ALGORITHMS' };
    throw new TokenError('algorithm', finding);
  }
  if (kid === undefined || kid === null || kid === '') return { alg, kid: undefined };
  // RFC 7515 §4.1.4: a key id is a string.
  if (typeof kid !== 'string')
    throw new TokenError('malformed', { header: 'kid', expected: 'a string', found: shown(kid) });
  return { alg, kid };
}

/** The token is unverified: its members can have any type. */
function decodeHeader(token: string): Readonly<Record<string, unknown>> {
  try {
    return decodeProtectedHeader(token) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new TokenError('malformed', {}, cause);
  }
}

/** RFC 7517 §4.5: keys whose ids do not identify one are tried until a signature matches. */
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

function toPrincipal(claims: JWTPayload, options: TokenVerifierOptions): Principal {
  const { sub, client_id, azp, exp, iat = 0, cnf } = claims;
  const clientId = client_id ?? azp;
  const { issuer, clock, clockTolerance } = options;
  const refused = (reason: 'missing_claim' | 'not_yet_valid', claim: string, found: unknown): TokenError =>
    new TokenError(reason, { claim, ...expectedOf(claim, found, rulesOf(options)), ...whoIn(claims) });
  if (!isName(sub)) throw refused('missing_claim', 'sub', sub);
  if (!isName(clientId)) throw refused('missing_claim', 'client_id', clientId);
  if (exp === undefined || exp === Infinity) throw refused('missing_claim', 'exp', exp);
  if (iat > clock.now() / 1000 + clockTolerance) throw refused('not_yet_valid', 'iat', iat);
  const scopes = scopesOf(claims);
  const principal = { issuer, subject: sub, clientId, scopes, expiresAt: exp, claims: personClaimsOf(claims) };
  return Object.freeze(cnf === undefined ? principal : { ...principal, keyThumbprint: thumbprintOf(claims) });
}

/**
 * RFC 9449 §6.1. A token that is also bound in another way, such as RFC 8705 §3, would need a check that does not
 * exist here.
 */
function thumbprintOf(claims: JWTPayload): string {
  const { jkt, ...others } = Object(claims.cnf);
  if (isName(jkt) && Object.keys(others).length === 0) return jkt;
  const found = { expected: 'only jkt', found: shown(claims.cnf) };
  throw new TokenError('sender_constrained', { claim: 'cnf', ...found, ...whoIn(claims) });
}

/** Half of a surrogate pair would be written as U+FFFD, and two people would get the same name. */
const isName = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.isWellFormed();

/** RFC 9068 §2.2.3 `scope`, or `scp` of other issuers, as text or as a list. */
function scopesOf({ scope, scp }: JWTPayload): ReadonlySet<string> {
  const granted: unknown = scope ?? scp;
  if (typeof granted === 'string') return new Set(granted.split(' ').filter(isName));
  return new Set(Array.isArray(granted) ? granted.filter(isName) : []);
}
