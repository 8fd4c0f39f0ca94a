/**
 * Owns whether an issuer made the signature of an assertion (RFC 7523 §3): with an algorithm of the list, and with a key that this very
 * issuer publishes. Unknown keys make this server ask the issuer again, but not more often than its copy of the keys allows.
 */

import { fittingKeys, type PublicKey } from '@mcp-oauth/shared/documents/key-set';
import { DocumentUnavailable, type RemoteDocument } from '@mcp-oauth/shared/documents/remote-document';
import { compactVerify } from 'jose';
import { AssertionRefused, IssuerUnavailable } from '../refused.ts';
import type { UnverifiedJwt } from './jwt.ts';

export interface IssuerKeys extends Pick<RemoteDocument<readonly PublicKey[]>, 'get' | 'renew'> {
  /** Whether the last attempt to read them failed: an unknown key may then be a new one. */
  isAway(): boolean;
}

/** @throws AssertionRefused, or IssuerUnavailable while there are no keys */
export async function checkSignature(jwt: UnverifiedJwt, algorithms: readonly string[], keys: IssuerKeys) {
  const { alg, kid } = jwt.header;
  if (!algorithms.includes(alg)) {
    const facts = { claim: 'alg', expected: algorithms, found: alg };
    throw new AssertionRefused('alg', 'its signature algorithm is not allowed', facts);
  }
  const tried = fittingKeys(await known(keys.get()), { alg, kid });
  if (await isSignedBy(tried, jwt)) return;
  // The issuer may have changed its keys since they were read, even under the same `kid`.
  const newer = fittingKeys(await known(keys.renew()), { alg, kid });
  if (await isSignedBy(newer, jwt)) return;
  if (newer.length === 0 && keys.isAway())
    throw new IssuerUnavailable('the newest keys of the issuer could not be read');
  const message = newer.length > 0 ? 'no key of the issuer matches it' : 'the issuer has no key for it';
  throw new AssertionRefused('signature', message, { claim: 'kid', found: kid });
}

async function known(keys: Promise<readonly PublicKey[]>): Promise<readonly PublicKey[]> {
  try {
    return await keys;
  } catch (cause) {
    if (!(cause instanceof DocumentUnavailable)) throw cause;
    throw new IssuerUnavailable('the keys of the issuer could not be read', { cause });
  }
}

async function isSignedBy(keys: readonly PublicKey[], { compact, header }: UnverifiedJwt): Promise<boolean> {
  for (const key of keys) {
    try {
      await compactVerify(compact, key as Parameters<typeof compactVerify>[1], { algorithms: [header.alg] });
      return true;
    } catch {
      // The next key may have made it; a key that cannot be used has not.
    }
  }
  return false;
}
