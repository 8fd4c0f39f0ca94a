/** Owns the keys of the authorization server (RFC 7517): whether somebody could check a token with them. */
import { isPrivate, readKeySet } from '@mcp-oauth/shared/documents/key-set';
import { asDocument } from '../mcp/message.ts';
import { fault, note, passed, step, type Verdict } from '../step.ts';
import { documentOf, listOf, type Place, readPlaces, webUrl } from './document.ts';

export const keys = step(
  'keys',
  ({ server, open }) =>
    open ? 'the server needs no sign-in' : server ? undefined : 'the metadata of the authorization server is not known',
  async (dependencies, known): Promise<Place | undefined> => {
    const url = webUrl(known.server?.document.jwks_uri);
    return url ? (await readPlaces(dependencies, known, [url.href]))[0] : undefined;
  },
  judgeKeys,
);

function judgeKeys(place: Place | undefined): Verdict {
  if (!place) return passed('no jwks_uri: only the authorization server itself can tell a good token');
  const document = documentOf(place);
  const usable = readKeySet(document);
  if (!document || !usable) {
    const says = `The keys can't be read: ${listOf([place])}.`;
    return fault('authorization-server', says, 'Serve the JSON Web Key Set there, without a login.');
  }
  const members = document.keys as readonly unknown[];
  const learned = { keys: { url: place.url, document } };
  if (members.some((member) => asDocument(member)?.kty === 'oct' || isPrivate(member))) {
    const says = 'The key set contains a secret key. Anybody who reads it can issue tokens.';
    return fault(
      'authorization-server',
      says,
      'Retire that key now. Publish public keys only (RFC 7517 §9.2).',
      learned,
    );
  }
  if (usable.length === 0) {
    const says = `The key set at ${place.url} has no usable key${members.length > 0 ? ` among ${members.length}` : ''}: no token can be checked.`;
    return fault(
      'authorization-server',
      says,
      'Publish the public key that signs access tokens: RSA, EC or OKP.',
      learned,
    );
  }
  const kinds = [...new Set(usable.map(({ alg, kty }) => alg ?? kty))].join(', ');
  if (usable.length < members.length)
    return note(
      `${members.length - usable.length} of ${members.length} members are no usable keys; some readers refuse the whole set.`,
      learned,
    );
  return passed(`${usable.length} usable (${kinds})`, learned);
}
