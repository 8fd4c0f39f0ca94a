/** Owns how a client becomes known: a document of its own, registration (RFC 7591), the word of an identity provider, or none of them. */

import { errorOf, objectIn } from '../mcp/message.ts';
import type { ProbeResponse } from '../network/request.ts';
import { type Document, fault, type Known, passed, step, type Verdict } from '../step.ts';
import { stringsIn, webUrl } from './document.ts';

/** MCP enterprise-managed authorization §6. */
const ID_JAG_PROFILE = 'urn:ietf:params:oauth:grant-profile:id-jag';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

interface Tried {
  readonly document: Document;
  /** The answer to the registration of an imitated client. */
  readonly response?: ProbeResponse;
}

export const registration = step(
  'registration',
  ({ server, open }) =>
    open ? 'the server needs no sign-in' : server ? undefined : 'the metadata of the authorization server is not known',
  async ({ ask }, { server, client }): Promise<Tried> => {
    const document = server?.document ?? {};
    const endpoint = webUrl(document.registration_endpoint);
    if (!endpoint || !client.registration) return { document };
    // Only with --as: each registration leaves a client at the server.
    const headers = { 'content-type': 'application/json', accept: 'application/json', 'user-agent': client.userAgent };
    const body = JSON.stringify(client.registration);
    return { document, response: await ask({ url: endpoint, method: 'POST', headers, body }) };
  },
  judgeRegistration,
);

function judgeRegistration(
  { document, response }: Tried,
  { client, clientId }: Pick<Known, 'client' | 'clientId'>,
): Verdict {
  const byDocument = document.client_id_metadata_document_supported === true;
  const endpoint = webUrl(document.registration_endpoint);
  if (response) return judgeAnswer(response, client.name, stringsIn(client.registration ?? {}, 'redirect_uris'));
  const managed = stringsIn(document, 'authorization_grant_profiles_supported').includes(ID_JAG_PROFILE);
  if (managed && !stringsIn(document, 'grant_types_supported').includes(JWT_BEARER)) {
    const says = `The metadata announces ID-JAGs of an identity provider, but ${JWT_BEARER} is not in grant_types_supported.`;
    return fault('authorization-server', says, 'Announce both, or neither (identity-assertion-authz-grant §7.2).');
  }
  const ways = [
    byDocument ? ['documents of clients'] : [],
    endpoint ? ['registration'] : [],
    managed ? ['ID-JAGs of an identity provider'] : [],
  ].flat();
  if (ways.length > 0) return passed(`by ${ways.join(' and ')}`);
  if (clientId !== undefined) return passed('neither documents nor registration; you have a client id');
  const says =
    'There is neither registration_endpoint nor client_id_metadata_document_supported: no client can introduce itself.';
  const fix =
    'Switch one of them on. Or register a client there by hand, enter its id in the clients, and give it to this command as --client-id.';
  return fault('authorization-server', says, fix);
}

function judgeAnswer(response: ProbeResponse, name: string, wanted: readonly string[]): Verdict {
  const answer = objectIn(response.body);
  if (response.status !== 201 && response.status !== 200) {
    const says = `The registration of ${name} is refused: ${errorOf(response)}.`;
    return fault('authorization-server', says, `Allow what ${name} sends: its redirect URIs are ${wanted.join(', ')}.`);
  }
  if (typeof answer?.client_id !== 'string')
    return fault(
      'authorization-server',
      `The registration of ${name} gives no client_id.`,
      'Answer with it, as JSON (RFC 7591 §3.2.1).',
    );
  const kept = stringsIn(answer, 'redirect_uris');
  const lost = wanted.filter((uri) => !kept.includes(uri));
  if (lost.length > 0) {
    const says = `The registration of ${name} leaves out ${lost.join(', ')}.`;
    return fault(
      'authorization-server',
      says,
      'Keep every redirect URI as it was sent: the client may use any of them.',
    );
  }
  return passed(`${name} registered, and left a client there that nobody uses`);
}
