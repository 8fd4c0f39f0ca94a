/** Ensures that production refuses secrets that come with the sources, and keys that are not random (CWE-798, CWE-1188). */

/** Every secret of the development setup begins with this, as text or as the bytes of a key. */
const MARK = /development-only/i;
const KEY_BYTES = 32;

/** Why a value is not secret, without repeating the value; `undefined` if nothing is wrong with it. */
export function flawOfSecret(value: string): string | undefined {
  if (MARK.test(value)) return DEFAULT;
  const keys = value
    .split(/[\s,]+/)
    .map((text) => Buffer.from(text, 'base64'))
    .filter(({ length }) => length === KEY_BYTES);
  if (keys.some((key) => MARK.test(key.toString('latin1')))) return DEFAULT;
  return keys.some((key) => new Set(key).size === 1)
    ? 'contains a key whose bytes are all the same; production needs one made by `openssl rand -base64 32`'
    : undefined;
}

const DEFAULT = 'is a secret of the development setup, which is public; production needs a secret of its own';
