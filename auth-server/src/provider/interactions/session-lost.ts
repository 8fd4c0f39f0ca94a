/** Owns the texts for an interaction that the engine does not find: the engine has one error for several causes. */
import type Provider from 'oidc-provider';
import type { errors } from 'oidc-provider';
import { type Said, said } from '../../languages/language.ts';

/** Error descriptions of oidc-provider 9.13.3 which mean that the session of this browser has changed. */
const OTHER_SESSION: ReadonlySet<string | undefined> = new Set([
  'session not found',
  'session principal changed',
  'interaction session and authentication session mismatch',
]);

/**
 * A browser drops the cookie when the interaction ends, so the cookie is only reported as missing if the interaction still waits.
 * @param uid of the interaction: nobody can guess it
 */
export async function wordsForLostSession(
  provider: Provider,
  error: errors.SessionNotFound,
  uid: string,
): Promise<Said> {
  if (OTHER_SESSION.has(error.error_description)) return said('otherSession');
  return (await provider.Interaction.find(uid)) ? said('noCookie') : said('over');
}
