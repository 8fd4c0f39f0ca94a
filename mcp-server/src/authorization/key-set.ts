/**
 * Owns reading a JWK Set: member by member, so that one that is no key takes no other with it (RFC 7517 §5), and which of its
 * keys a token header may mean (RFC 7517 §4.5, RFC 7515 §4.1.4).
 */
import { type CryptoKey, createLocalJWKSet, type JWK } from 'jose';
import { z } from 'zod';

/** The members of a token header that say which key it is of. */
export interface KeyName {
  readonly alg: string;
  readonly kid: string | undefined;
}

export interface KeySet {
  /** Each key as text: what is missing from a later set was withdrawn or altered. */
  readonly texts: ReadonlySet<string>;
  /** The key ids that there are. */
  readonly names: readonly string[];
  /** Why members were left out, one text for each. */
  readonly leftOut: readonly string[];
  /** The keys that may have signed, the likeliest first; whether each goes with the algorithm shows when it is opened. */
  candidates(name: KeyName): readonly Candidate[];
}

interface Candidate {
  /** The same for a key that is published twice. */
  readonly id: string;
  /** Nothing for a key that can't check signatures of this algorithm. */
  open(algorithm: string): Promise<CryptoKey | undefined>;
}

/** RFC 7518 §6, RFC 8037 §2: the members that make the key. Other types are left alone: they may be for others to use. */
const MATERIAL: ReadonlyMap<string, readonly string[]> = new Map([
  ['RSA', ['n', 'e']],
  ['EC', ['crv', 'x', 'y']],
  ['OKP', ['crv', 'x']],
]);

/** RFC 7518 §3.3 */
const SHORTEST_RSA = 2_048;

const document = z.object({ keys: z.array(z.unknown()) });

/** @throws Error for what is no set, or has members of which none is a key */
export function readKeySet(body: unknown): KeySet {
  const members = document.parse(body).keys;
  const read = members.map(readKey);
  const keys = read.filter((key) => typeof key !== 'string');
  const leftOut = read.flatMap((key, index) => (typeof key === 'string' ? [`keys[${index}] ${key}`] : []));
  if (keys.length === 0 && leftOut.length > 0)
    throw new Error(`no member of the key set is a key: ${leftOut.join('; ')}`);
  const named = Map.groupBy(keys, ({ kid }) => kid);
  const nameless = named.get(undefined) ?? [];
  return {
    texts: new Set(keys.map(({ text }) => text)),
    names: [...named.keys()].filter((name) => name !== undefined),
    leftOut,
    candidates: ({ kid }) => (kid === undefined ? keys : (named.get(kid) ?? nameless)),
  };
}

interface Key extends Candidate {
  readonly kid: string | undefined;
  readonly text: string;
}

/** The key, or why it is none. */
function readKey(member: unknown): Key | string {
  if (typeof member !== 'object' || member === null || Array.isArray(member)) return 'is no object';
  // An optional member that is null or empty says nothing.
  const jwk = usable(Object.fromEntries(Object.entries(member).filter(([, value]) => value !== null && value !== '')));
  if (typeof jwk.kty !== 'string') return 'has no kty';
  const material = MATERIAL.get(jwk.kty) ?? [];
  const missing = material.find((name) => typeof jwk[name] !== 'string');
  if (missing) return `has no ${missing}`;
  const text = JSON.stringify(jwk);
  return {
    kid: typeof jwk.kid === 'string' ? jwk.kid : undefined,
    text,
    id: material.length > 0 ? JSON.stringify([jwk.kty, ...material.map((name) => jwk[name])]) : text,
    open: opener(jwk as JWK),
  };
}

/** Without optional members that have no meaning in their form: one of them would keep a good key from being opened. */
function usable({
  alg,
  use,
  ext: _,
  key_ops: operations,
  ...others
}: Record<string, unknown>): Record<string, unknown> {
  const named = Array.isArray(operations) ? operations.filter((one) => typeof one === 'string') : [];
  // With other operations beside it, or twice, Web Crypto refuses the key.
  const allowed = named.includes('verify') ? ['verify'] : named;
  return {
    ...others,
    ...(typeof alg === 'string' && { alg }),
    ...(typeof use === 'string' && { use }),
    ...(allowed.length > 0 && { key_ops: allowed }),
  };
}

/** Opened when it is first needed, and kept, be it a key or none. */
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
