/**
 * Owns sealing: a client can neither read nor change a sealed text, nor use it in another context (NIST SP
 * 800-38D).
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { SealingKeys } from './sealing-keys.ts';

const CIPHER = 'aes-256-gcm';
const NONCE = 12;
const TAG = 16;

/** @param context unsealing requires the same context */
export async function seal(keys: SealingKeys, text: string, context: string): Promise<string> {
  const { id, secret } = await keys.current();
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv(CIPHER, secret, nonce).setAAD(Buffer.from(context));
  const parts = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
  return `${id}.${Buffer.concat(parts).toString('base64url')}`;
}

/** @returns nothing for a text that was not sealed by this server for this context with a known key */
export async function unseal(keys: SealingKeys, sealed: string, context: string): Promise<string | undefined> {
  const [id = '', encoded = '', ...rest] = sealed.split('.');
  const bytes = Buffer.from(encoded, 'base64url');
  // Accepts one encoding only: node would ignore characters that are not Base64url.
  if (rest.length > 0 || bytes.length < NONCE + TAG || bytes.toString('base64url') !== encoded) return undefined;
  const key = await keys.find(id);
  if (!key) return undefined;
  const decipher = createDecipheriv(CIPHER, key.secret, bytes.subarray(0, NONCE), { authTagLength: TAG });
  decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-TAG));
  try {
    return decipher.update(bytes.subarray(NONCE, -TAG), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return undefined;
  }
}
