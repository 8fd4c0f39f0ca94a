/**
 * Owns what exactly a person approves: a digest of what the page showed, and the form token made from it. The token is
 * good for one interaction as it was shown, and only this server can make it (CSRF, RFC 9700 §4.7).
 */
import { createHash, createHmac } from 'node:crypto';
import type { PendingInteraction } from './interaction.ts';

/**
 * Changes when the page would show something else: another client, another place, other scopes. Their order says nothing:
 * a replica that has not heard from the resource yet has the same ones in another.
 */
export const approvalOf = ({ uid, client, redirectUri, resource, scopes }: PendingInteraction): string => {
  const names = scopes.map(({ name }) => name).sort();
  return createHash('sha256')
    .update(JSON.stringify([uid, client.id, redirectUri, resource.identifier, names]))
    .digest('base64url');
};

/** The token of the form on that page, for the account that the page named. */
export const formToken = (key: string, pending: PendingInteraction): string =>
  createHmac('sha256', key)
    .update(JSON.stringify(['form', approvalOf(pending), pending.accountId ?? null]))
    .digest('base64url');
