/**
 * Owns the reading of a JWK Set: invalid members are skipped (RFC 7517 §5). Also owns the choice of the keys that
 * match a token header (RFC 7517 §4.5, RFC 7515 §4.1.4).
 */
import { type CryptoKey, createLocalJWKSet, type JWK } from 'jose';
import { z } from 'zod';

/** The members of a token header that identify its key. */
export interface KeyName {
  readonly alg: string;
  readonly kid: string | undefined;
  /** `iss`, if the tenants of an issuer share a key set: a key that names one of them signs for it alone. */
  readonly tenant?: string | undefined;
}

export interface KeySet {
  /** Each key as text: a text that is missing from a later set belongs to a withdrawn or altered key. */
  readonly texts: ReadonlySet<string>;
  /** The ids of the keys. */
  readonly names: readonly string[];
  /** Why members were skipped, one text for each. */
  readonly leftOut: readonly string[];
  /**
   * The keys that may have signed, most likely ones first. Whether a key supports the algorithm is checked when it
   * is imported.
   */
  candidates(name: KeyName): readonly Candidate[];
}

interface Candidate {
  /** The same for two copies of one key. */
  readonly id: string;
  /** Resolves to nothing for a key that can't verify signatures of this algorithm. */
  open(algorithm: string): Promise<CryptoKey | undefined>;
}

/**
 * RFC 7518 §6, RFC 8037 §2: the members that form the key. Keys of other types are kept unchecked, as they may be
 * meant for others.
 */
const MATERIAL: ReadonlyMap<string, readonly string[]> = new Map([
  ['RSA', ['n', 'e']],
  ['EC', ['crv', 'x', 'y']],
  ['OKP', ['crv', 'x']],
]);

/** RFC 7518 §3.3 */
const SHORTEST_RSA = 2_048;

const document = z.object({ keys: z.array(z.unknown()) });

/** Skipped members that are named: a set may have a hundred thousand. */
const MOST_NAMED = 10;

/** @throws Error for a document that is not a JWK Set, or has members but no key */
export function readKeySet(body: unknown): KeySet {
  const set = document.safeParse(body);
  if (!set.success) throw new Error('the key set is no JWK Set: expected an object with a list of keys');
  const read = set.data.keys.map(readKey);
  const keys = read.filter((key) => typeof key !== 'string');
  const skipped = read.flatMap((key, index) => (typeof key === 'string' ? [`keys[${index}] ${key}`] : []));
  const more = skipped.length - MOST_NAMED;
  const leftOut = more > 0 ? [...skipped.slice(0, MOST_NAMED), `${more} more`] : skipped;
  if (keys.length === 0 && leftOut.length > 0) throw new Error(`the key set has no usable key: ${leftOut.join('; ')}`);
  const named = Map.groupBy(keys, ({ kid }) => kid);
  const nameless = named.get(undefined) ?? [];
  return {
    texts: new Set(keys.map(({ text }) => text)),
    names: [...named.keys()].filter((name) => name !== undefined),
    leftOut,
    candidates: ({ kid, tenant }) => {
      const fitting = kid === undefined ? keys : (named.get(kid) ?? nameless);
      return tenant === undefined
        ? fitting
        : fitting.filter((key) => key.tenant === undefined || key.tenant === tenant);
    },
  };
}

interface Key extends Candidate {
  readonly kid: string | undefined;
  /** The member `issuer` of Microsoft Entra ID; absent or with a placeholder: for all tenants. */
  readonly tenant: string | undefined;
  readonly text: string;
}

/** The key, or why the member is invalid. */
function readKey(member: unknown): Key | string {
  if (typeof member !== 'object' || member === null || Array.isArray(member)) return 'is not an object';
  // An optional member that is null or empty counts as absent.
  const jwk = usable(Object.fromEntries(Object.entries(member).filter(([, value]) => value !== null && value !== '')));
  if (typeof jwk.kty !== 'string') return 'has no kty';
  const material = MATERIAL.get(jwk.kty) ?? [];
  const missing = material.find((name) => typeof jwk[name] !== 'string');
  if (missing) return `has no ${missing}`;
  const text = JSON.stringify(jwk);
  return {
    kid: typeof jwk.kid === 'string' ? jwk.kid : undefined,
    tenant: typeof jwk.issuer === 'string' && !jwk.issuer.includes('{') ? jwk.issuer : undefined,
    text,
    id: material.length > 0 ? JSON.stringify([jwk.kty, ...material.map((name) => jwk[name])]) : text,
    open: opener(jwk as JWK),
  };
}

/** Removes optional members with an invalid form: they would prevent the import of a valid key. */
function usable({
  alg,
  use,
  ext: _,
  key_ops: operations,
  ...others
}: Record<string, unknown>): Record<string, unknown> {
  const named = Array.isArray(operations) ? operations.filter((one) => typeof one === 'string') : [];
  // Web Crypto refuses a key with other operations besides `verify`, or with `verify` twice.
  const allowed = named.includes('verify') ? ['verify'] : named;
  return {
    ...others,
    ...(typeof alg === 'string' && { alg }),
    ...(typeof use === 'string' && { use }),
    ...(allowed.length > 0 && { key_ops: allowed }),
  };
}

/** Imports the key on first use, and keeps the result, also a failure. */
function opener(jwk: JWK): Candidate['open'] {
  const opened = new Map<string, Promise<CryptoKey | undefined>>();
  return (algorithm) => {
    const known = opened.get(algorithm) ?? open(jwk, algorithm).catch(() => undefined);
    opened.set(algorithm, known);
    return known;
  };
}

async function open(jwk: JWK, alg: string): Promise<CryptoKey | undefined> {
  const key = await createLocalJWKSet({ keys: [jwk] })({ alg });
  const { modulusLength } = key.algorithm as { readonly modulusLength?: number };
  return modulusLength !== undefined && modulusLength < SHORTEST_RSA ? undefined : key;
}
