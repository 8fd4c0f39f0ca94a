/** Owns sealing: what a client is given to keep, it can neither read nor change, nor use for anything else (NIST SP 800-38D). */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { SealingKeys } from './sealing-keys.ts';

const CIPHER = 'aes-256-gcm';
const NONCE = 12;
const TAG = 16;

/** @param context where alone it may be opened: whoever opens has to say the same */
export async function seal(keys: SealingKeys, text: string, context: string): Promise<string> {
  const { id, secret } = await keys.current();
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv(CIPHER, secret, nonce).setAAD(Buffer.from(context));
  const parts = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
  return `${id}.${Buffer.concat(parts).toString('base64url')}`;
}

/** @returns nothing for what was not sealed here, for this context, with a key that is still kept */
export async function unseal(keys: SealingKeys, sealed: string, context: string): Promise<string | undefined> {
  const [id = '', encoded = '', ...rest] = sealed.split('.');
  const bytes = Buffer.from(encoded, 'base64url');
  // A text has one form only: node would read past characters that are not Base64url.
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
