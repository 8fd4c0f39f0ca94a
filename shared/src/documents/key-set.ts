/**
 * Owns how a JSON Web Key Set of another party is read (RFC 7517 §5): member by member, so that an invalid one does not affect the
 * others; and which keys are tried for a signature (RFC 7515 §4.1.4, RFC 7517 §4.5: `kid` is optional).
 */

/** A public key. The members that decide about its use are valid or absent. */
export interface PublicKey {
  readonly kty: string;
  readonly kid?: string;
  readonly alg?: string;
  readonly use?: string;
  readonly crv?: string;
  readonly key_ops?: readonly string[];
  readonly [member: string]: unknown;
}

const MOST_KEYS = 100;
/** Maximum number of keys that are tried for one signature. */
const MOST_TRIED = 10;

/** The required members of each key type (RFC 7518 §6, RFC 8037 §2, RFC 9964 §4); other types are not supported. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  RSA: ['n', 'e'],
  EC: ['crv', 'x', 'y'],
  OKP: ['crv', 'x'],
  AKP: ['alg', 'pub'],
};
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];
const NAMES: ReadonlySet<string> = new Set(['alg', 'use']);

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** Whether a member of a key set contains a private key: anybody can sign with it, so it proves nothing. */
export const isPrivate = (member: unknown): boolean =>
  typeof member === 'object' && member !== null && PRIVATE.some((name) => (Reflect.get(member, name) ?? null) !== null);

/** @returns the usable keys; `undefined` if the document is not a key set */
export function readKeySet(document: unknown): readonly PublicKey[] | undefined {
  const { keys } = (document ?? {}) as { keys?: unknown };
  return Array.isArray(keys) ? keys.slice(0, MOST_KEYS).flatMap(readKey) : undefined;
}

function readKey(member: unknown): readonly PublicKey[] {
  if (typeof member !== 'object' || member === null || Array.isArray(member)) return [];
  const { kty, kid, key_ops: operations, ...others } = member as Record<string, unknown>;
  const required = isText(kty) && Object.hasOwn(REQUIRED, kty) ? REQUIRED[kty] : undefined;
  if (!isText(kty) || !required?.every((name) => isText(others[name])) || isPrivate(member)) return [];
  const kept = Object.entries(others).filter(([name, value]) => value !== null && !isOdd(name, value));
  const name = typeof kid === 'number' ? String(kid) : kid;
  const allowed = Array.isArray(operations) ? operations.filter(isText) : [];
  return [
    {
      ...Object.fromEntries(kept),
      kty,
      ...(isText(name) && { kid: name }),
      ...(allowed.length > 0 && { key_ops: allowed }),
    },
  ];
}

/** An optional member that is invalid (RFC 7517 §4); libraries refuse a whole set for one. */
const isOdd = (name: string, value: unknown): boolean =>
  (NAMES.has(name) && !isText(value)) || (name === 'x5c' && !(Array.isArray(value) && value.every(isText)));

const KEY_TYPES: Readonly<Record<string, string>> = { RS: 'RSA', PS: 'RSA', ES: 'EC', Ed: 'OKP', ML: 'AKP' };
const CURVES: Readonly<Record<string, string>> = {
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
  EdDSA: 'Ed25519',
  Ed25519: 'Ed25519',
};

/**
 * The keys that may have made a signature: those with the given `kid`, or if there is none, those without a `kid`.
 * @param header of the signed token
 */
export function fittingKeys(
  keys: readonly PublicKey[],
  { alg, kid }: { readonly alg: string; readonly kid?: unknown },
): readonly PublicKey[] {
  const curve = CURVES[alg];
  const fitting = keys.filter(
    (key) =>
      key.kty === KEY_TYPES[alg.slice(0, 2)] &&
      (key.alg === undefined || key.alg === alg) &&
      (key.use === undefined || key.use === 'sig') &&
      (curve === undefined || key.crv === curve) &&
      (key.key_ops?.includes('verify') ?? true),
  );
  const wanted = typeof kid === 'number' ? String(kid) : kid;
  const named = isText(wanted) ? fitting.filter((key) => key.kid === wanted) : fitting;
  const chosen = named.length > 0 ? named : fitting.filter((key) => key.kid === undefined);
  return [...new Map(chosen.map((key) => [materialOf(key), key])).values()].slice(0, MOST_TRIED);
}

/** A key that is published twice is one key. */
const materialOf = ({ n, e, x, y, pub }: PublicKey): string => JSON.stringify([n, e, x, y, pub]);
