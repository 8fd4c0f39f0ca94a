/** Owns the local subject: who a person is here, derived from who they are upstream (OpenID Connect Core 1.0 §5.7). */
import { createHash } from 'node:crypto';
import type { Identity } from './connector.ts';

/**
 * The `sub` of every token, 43 characters of base64url. Only issuer and subject together identify a person (an e-mail
 * address can be given to somebody else), and JSON keeps the pair unambiguous: no two pairs share one text.
 */
export const localSubject = ({ issuer, subject }: Pick<Identity, 'issuer' | 'subject'>): string =>
  createHash('sha256')
    .update(JSON.stringify([issuer, subject]))
    .digest('base64url');
