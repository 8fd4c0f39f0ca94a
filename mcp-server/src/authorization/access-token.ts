/**
 * Owns the offline check of an access token: a JWT of one of the issuers, as RFC 9068 or as its settings describe it, for this resource
 * (RFC 8707), bound to a key or not.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { shown } from './finding.ts';
import type { KeyName } from './issuer/key-set.ts';
import type { KeySource } from './issuer/key-source.ts';
import type { Principal } from './principal.ts';
import { claimChecks } from './token/claim-checks.ts';
import { principalOf } from './token/principal-of.ts';
import { type TokenRules, UNTYPED } from './token/rules.ts';
import { verifiedBy } from './token/verified-by.ts';
import { claimedIn, ofIssuer, TokenError, toTokenError } from './token-error.ts';

/**
 * Finds the principal of a token: synchronously if the token is cached. A principal with a `keyThumbprint` still
 * has to prove possession of the key. Rejects with a TokenError.
 */
export type VerifyToken = (token: string, caller?: Caller) => Principal | Promise<Principal>;

/** Who sent the token: some checks are limited for each address. */
export interface Caller {
  readonly address: string;
}

/** An issuer whose tokens are accepted. */
interface TrustedIssuer {
  /** One for each `iss` that the issuer writes: an issuer of several tenants has one for each. */
  readonly rules: readonly TokenRules[];
  /** Its own keys, which verify no token of another issuer. */
  readonly keySource: Pick<KeySource, 'candidates'>;
}

export interface TokenVerifierOptions {
  readonly issuers: readonly TrustedIssuer[];
  readonly clock: Clock;
  /** The setting that names the issuers. */
  readonly setting?: string | undefined;
}

/** RFC 6750 §2.1. MAX_HEADER_SIZE limits the length of a token. */
export const B64TOKEN = /^[\w\-.~+/]+=*$/;

/** A token chooses its issuer by its `iss`, which only leads to the rules and keys that it is then verified with. */
export function createTokenVerifier({ issuers, clock, setting = 'ISSUER' }: TokenVerifierOptions): VerifyToken {
  const trusted = new Map<unknown, Trusted>(
    issuers.flatMap(({ rules, keySource }) =>
      rules.map((one) => [one.issuer, { rules: one, keySource, types: new Set(one.types.map(mediaType)) }] as const),
    ),
  );
  return async (token) => {
    if (!B64TOKEN.test(token)) throw new TokenError('malformed');
    const { header, claims } = decoded(token);
    const issuer = trusted.get(claims.iss);
    if (!issuer) throw foreign(token, claims.iss, [...trusted.keys()], setting);
    const now = clock.now() / 1000;
    try {
      const keyName = keyNameOf(header, issuer);
      const verified = await verifiedBy(token, issuer.keySource.candidates(keyName), {
        ...claimChecks(issuer.rules, now),
        algorithms: [...issuer.rules.algorithms],
      });
      return principalOf(verified, issuer.rules, {
        isTyped: typeOf(header) !== 'jwt' && typeOf(header) !== UNTYPED,
        keyId: keyName.kid,
        now,
      });
    } catch (error) {
      throw ofIssuer(toTokenError(error, token, { rules: issuer.rules, now }), issuer.rules.variable);
    }
  };
}

interface Trusted {
  readonly rules: TokenRules;
  readonly keySource: Pick<KeySource, 'candidates'>;
  /** Accepted media types. */
  readonly types: ReadonlySet<string>;
}

type Json = Readonly<Record<string, unknown>>;

/** Nothing of it is verified: its members can have any type. */
function decoded(token: string): { readonly header: Json; readonly claims: Json } {
  try {
    return { header: decodeProtectedHeader(token) as Json, claims: decodeJwt(token) };
  } catch (cause) {
    throw new TokenError('malformed', { found: shown((cause as Error).message) }, cause);
  }
}

function foreign(token: string, found: unknown, known: readonly unknown[], setting: string): TokenError {
  const expected = known.length === 1 ? known[0] : known;
  return new TokenError('wrong_issuer', { claim: 'iss', expected, found: shown(found), setting, ...claimedIn(token) });
}

/** RFC 7515 §4.1.9: media types are case-insensitive, and `application/` may be left out. */
const mediaType = (type: string): string => type.toLowerCase().replace(/^application\//, '');

/** A token without the header is of no type, and differs from one that names the type `none`. */
const typeOf = ({ typ }: Json): string => (typeof typ === 'string' ? mediaType(typ) : typ === undefined ? UNTYPED : '');

/** Checked before the signature: an ID token of the same issuer is cheap to refuse, and gets a precise reason. */
function keyNameOf(header: Json, { rules, types }: Trusted): KeyName {
  const { typ, alg, kid } = header;
  const { algorithms } = rules;
  if (!types.has(typeOf(header)) || (typ !== undefined && typeOf(header) === UNTYPED)) {
    const finding = { header: 'typ', expected: rules.types, found: shown(typ), setting: rules.variable('TOKEN_TYPES') };
    throw new TokenError('wrong_type', finding);
  }
  if (typeof alg !== 'string' || !algorithms.includes(alg)) {
    const setting = rules.variable('TOKEN_ALGORITHMS');
    throw new TokenError('algorithm', { header: 'alg', expected: algorithms, found: shown(alg), setting });
  }
  const tenant = rules.sharesKeys ? rules.issuer : undefined;
  if (kid === undefined || kid === null || kid === '') return { alg, kid: undefined, tenant };
  // RFC 7515 §4.1.4: a key id is a string.
  if (typeof kid !== 'string')
    throw new TokenError('malformed', { header: 'kid', expected: 'a string', found: shown(kid) });
  return { alg, kid, tenant };
}
