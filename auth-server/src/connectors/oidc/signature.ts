/**
 * Owns the signature of a JWT from an OpenID provider (OpenID Connect Core 1.0 §3.1.3.7, RFC 7515 §5.2): an algorithm that its
 * metadata announces, and one of its published keys. Each refusal names what was expected and what was found.
 */

import { fittingKeys, type PublicKey } from '@mcp-oauth/shared/documents/key-set';
import { isObject } from '@mcp-oauth/shared/json';
import { compactVerify, decodeProtectedHeader } from 'jose';
import { UpstreamError, type UpstreamFacts } from '../../federation/connector.ts';
import type { Remembered } from '../../federation/upstream/remembered.ts';

export interface SignedBy {
  readonly issuer: string;
  readonly clientId: string;
  readonly algorithms: readonly string[];
  readonly keys: Remembered<readonly PublicKey[]>;
}

type Values = Readonly<Record<string, unknown>>;

/** What the JWT is, in the words of the log. */
type Kind = 'id token' | 'userinfo' | 'logout token';

/** @returns the function that refuses a JWT of this kind for one of its members */
export const refusing =
  (kind: Kind) =>
  (claim: string, message: string, facts: UpstreamFacts = {}): never => {
    throw new UpstreamError('invalid_answer', `the ${kind} was refused: ${message}`, { claim, ...facts });
  };

/** The form of a value of any type in the log. */
export const shown = (value: unknown): unknown => (value === undefined ? 'nothing' : value === null ? 'null' : value);

/**
 * @returns the header and the claims, of which nothing is checked but the signature
 * @throws UpstreamError
 */
export async function verified(
  token: string,
  kind: Kind,
  signedBy: Pick<SignedBy, 'algorithms' | 'keys'>,
): Promise<{ readonly header: Values; readonly claims: Values }> {
  const reader = { kind, refuse: refusing(kind) };
  const header = headerOf(token, reader, signedBy.algorithms);
  return { header, claims: claimsIn(await verifiedPayload(token, reader, { ...header, keys: signedBy.keys }), reader) };
}

interface Reader {
  readonly kind: Kind;
  readonly refuse: ReturnType<typeof refusing>;
}

/** The place of a fault that concerns the whole JWT. */
const whole = ({ kind }: Reader): string => kind.replace(' ', '_');

async function verifiedPayload(token: string, { refuse }: Reader, { alg, kid, keys }: Signature): Promise<Uint8Array> {
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

function headerOf(token: string, reader: Reader, algorithms: readonly string[]): Values & { readonly alg: string } {
  const { refuse } = reader;
  if (token.split('.').length === 5) refuse(whole(reader), 'it is encrypted, which this server did not request');
  const header = decoded(token, reader);
  const { alg, crit } = header;
  if (typeof alg !== 'string' || !algorithms.includes(alg)) {
    refuse('alg', 'its signature algorithm is not one that the metadata announces', {
      expected: algorithms,
      found: shown(alg),
    });
  }
  if (crit !== undefined) refuse('crit', 'it requires an extension', { expected: 'nothing', found: shown(crit) });
  return { ...header, alg: String(alg) };
}

function decoded(token: string, reader: Reader): Values {
  try {
    return decodeProtectedHeader(token) as Values;
  } catch {
    return reader.refuse(whole(reader), 'it is not a JWT');
  }
}

/** Error code of jose for a usable key that did not make the signature. */
const NOT_ITS_KEY = 'signature verification failed';

interface Trial {
  readonly alg: string;
  /** Why the keys that were tried failed: one may be too short. */
  readonly faults: Set<string>;
}

interface Signature {
  readonly alg: string;
  readonly kid?: unknown;
  readonly keys: SignedBy['keys'];
}

type Search = Trial & Signature;

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
function claimsIn(payload: Uint8Array, reader: Reader): Values {
  try {
    const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    if (isObject(claims)) return claims;
  } catch {
    // Refused below like any other invalid payload.
  }
  return reader.refuse(whole(reader), 'its payload is not a JSON object');
}
