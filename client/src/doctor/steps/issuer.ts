/** Owns the metadata of the authorization server (RFC 8414, OpenID Connect Discovery): its places, its issuer, its endpoints, PKCE. */
import { AUTHORIZATION_SERVER_PATH, insertedUrl, OPENID_CONFIGURATION_PATH, urlPath } from '@mcp-oauth/shared/contract';
import { foreignText } from '../foreign-text.ts';
import { type Document, fault, type Known, note, passed, step, type Verdict } from '../step.ts';
import { documentOf, listOf, type Place, readPlaces, stringsIn, webUrl } from './document.ts';
import { behindProxy, PROXY } from './proxy.ts';

/** MCP basic/authorization, "Authorization Server Metadata Discovery": in the order in which clients look. */
export function issuerPlaces(issuer: string): readonly string[] {
  const inserted = [AUTHORIZATION_SERVER_PATH, OPENID_CONFIGURATION_PATH].map((place) => insertedUrl(place, issuer));
  const appended = `${new URL(issuer).origin}${urlPath(issuer)}${OPENID_CONFIGURATION_PATH}`;
  return [...new Set([...inserted, appended])];
}

export const server = step(
  'server',
  ({ issuer, open }) =>
    open ? 'the server needs no sign-in' : issuer === undefined ? 'no authorization server is known' : undefined,
  (dependencies, known) => readPlaces(dependencies, known, issuerPlaces(known.issuer ?? '')),
  judgeServer,
);

function judgeServer(places: readonly Place[], { issuer = '' }: Pick<Known, 'issuer'>): Verdict {
  const chosen = places.find((place) => documentOf(place));
  const document = chosen && documentOf(chosen);
  if (!chosen || !document) {
    const says = `The authorization server ${issuer} has no metadata (RFC 8414 §3): ${listOf(places)}.`;
    const responsible = places.every(({ response }) => response.status === 0) ? 'network' : 'authorization-server';
    return fault(
      responsible,
      says,
      'Serve it at the first of these places, or correct the issuer in authorization_servers.',
    );
  }
  const learned = { server: { url: chosen.url, document } };
  return (
    judgeIssuer(document, chosen, issuer) ??
    judgeEndpoints(document, issuer, learned) ??
    (chosen.hops.length > 0
      ? note(`Found after a redirect to ${chosen.hops.at(-1)}, which some clients do not follow.`, learned)
      : passed(`${chosen.url} is of the right issuer`, learned))
  );
}

/** RFC 8414 §3.3: another issuer must not be used, so nothing is learned from it. */
function judgeIssuer(document: Document, chosen: Place, issuer: string): Verdict | undefined {
  const found = document.issuer;
  if (found === issuer) return undefined;
  const says = `The metadata at ${chosen.url} is of the issuer ${typeof found === 'string' ? JSON.stringify(found) : foreignText(found)}, not of ${issuer} (RFC 8414 §3.3).`;
  if (typeof found === 'string' && found.replace('http:', 'https:') === issuer)
    return fault('authorization-server', says, PROXY);
  if (typeof found === 'string' && found.replace(/\/$/, '') === issuer.replace(/\/$/, '')) {
    const fix = `Write it in both places the same: list ${found}, with the same slash at its end, in authorization_servers.`;
    return fault('mcp-server', says, fix);
  }
  const fix =
    'List the issuer exactly as the authorization server writes it, or correct the public URL of the authorization server.';
  return fault('authorization-server', says, fix);
}

const REQUIRED = ['authorization_endpoint', 'token_endpoint'];
const ENDPOINTS = [...REQUIRED, 'registration_endpoint', 'jwks_uri'];

function judgeEndpoints(document: Document, issuer: string, learned: Partial<Known>): Verdict | undefined {
  const missing = REQUIRED.filter((name) => !webUrl(document[name]));
  if (missing.length > 0) {
    const says = `The metadata has no ${missing.join(' and no ')}.`;
    return fault('authorization-server', says, 'Clients can sign nobody in without it: add it as a URL.', learned);
  }
  const plain = ENDPOINTS.filter((name) => {
    const url = webUrl(document[name]);
    return url !== undefined && behindProxy(new URL(issuer), url);
  });
  if (plain.length > 0)
    return fault(
      'authorization-server',
      `${plain.map((name) => `${name} is ${document[name]}`).join(', ')}, with http.`,
      PROXY,
      learned,
    );
  const types = document.response_types_supported;
  if (Array.isArray(types) && !types.includes('code'))
    return fault(
      'authorization-server',
      'response_types_supported is without code.',
      'Allow the authorization code flow.',
      learned,
    );
  return undefined;
}

export const pkce = step(
  'pkce',
  ({ server: found, open }) =>
    open ? 'the server needs no sign-in' : found ? undefined : 'the metadata of the authorization server is not known',
  async (_, { server: found }) => found?.document ?? {},
  judgePkce,
);

/** MCP basic/authorization: a client must refuse to go on where the member is absent. */
function judgePkce(document: Document): Verdict {
  const methods = stringsIn(document, 'code_challenge_methods_supported');
  if (methods.includes('S256')) return passed('S256');
  const says = `code_challenge_methods_supported is ${methods.length > 0 ? methods.join(', ') : 'missing'}: clients must refuse this server.`;
  const fix = 'Switch PKCE with S256 on, and announce it as code_challenge_methods_supported: ["S256"].';
  return fault('authorization-server', says, fix);
}
