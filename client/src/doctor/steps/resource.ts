/** Owns the protected-resource metadata (RFC 9728): where clients look for it, and what they compare. */
import { PROTECTED_RESOURCE_PATH } from '@mcp-oauth/shared/contract';
import { foreignText } from '../foreign-text.ts';
import { type Document, fault, type Known, note, passed, step, type Verdict } from '../step.ts';
import { documentOf, listOf, type Place, readPlaces, stringsIn, webUrl } from './document.ts';
import { issuerPlaces } from './issuer.ts';
import { behindProxy, PROXY } from './proxy.ts';

/** RFC 9728 §3.1, and MCP: the place that the challenge names, then with the path of the server, then at the root. */
export function resourcePlaces({ origin, pathname, search }: URL, named: string | undefined): readonly string[] {
  const path = pathname === '/' ? '' : pathname;
  const wellKnown = [`${origin}${PROTECTED_RESOURCE_PATH}${path}${search}`, `${origin}${PROTECTED_RESOURCE_PATH}`];
  return [...new Set(named === undefined ? wellKnown : [named, ...wellKnown])];
}

export const resource = step(
  'resource',
  ({ open, first }) => (open ? 'the server needs no sign-in' : first?.status === 401 ? undefined : 'there was no 401'),
  async (dependencies, known): Promise<Seen> => {
    const places = await readPlaces(dependencies, known, resourcePlaces(known.url, namedBy(known)));
    const found = places.some((place) => documentOf(place));
    return { places, former: found ? [] : await readPlaces(dependencies, known, issuerPlaces(known.url.origin)) };
  },
  judgeResource,
);

interface Seen {
  readonly places: readonly Place[];
  /** Where MCP 2025-03-26 looked, if there is nothing at the places of today: at the origin as an authorization server. */
  readonly former: readonly Place[];
}

const namedBy = ({ challenge }: Pick<Known, 'challenge'>): string | undefined =>
  challenge?.parameters.resource_metadata;

/** A client that got a place from the challenge reads only that one; others take the first that answers. */
function judgeResource({ places, former }: Seen, known: Pick<Known, 'url' | 'challenge' | 'wanted'>): Verdict {
  const found = places.find((place) => documentOf(place));
  const document = found && documentOf(found);
  const learned = document ? learnedFrom(found.url, document, known) : {};
  if (found && found !== places[0] && namedBy(known) !== undefined) {
    const says = `The place that the challenge names has no metadata (RFC 9728 §3.2): ${listOf(places.slice(0, 1))}.`;
    const fix = `Name ${found.url} in the challenge, where it is, or serve it there too.`;
    return fault('mcp-server', says, fix, learned);
  }
  if (found && document)
    return (
      judgeIdentifier(document, found, known.url, learned) ??
      judgeOther(places, found, document, learned, known.url) ??
      judgeIssuers(document, found, known, learned)
    );
  const says = `There is no protected-resource metadata (RFC 9728 §3): ${listOf(places)}.`;
  if (!former.some((place) => documentOf(place))) return fault('mcp-server', says, SERVE);
  const { origin } = known.url;
  const more = `${says} Only clients that look as in MCP 2025-03-26 find ${origin} as the authorization server.`;
  return fault('mcp-server', more, SERVE, { issuers: [origin] });
}

const SERVE =
  'Serve it as JSON, without a login and with status 200. A proxy must pass /.well-known/ on to the MCP server.';

/** A stranger decides how many there are, and each costs some requests. */
const MOST_ISSUERS = 4;

/** An issuer with the wrong scheme is a fault of this step; the following ones continue with the right one. */
function learnedFrom(
  url: string,
  document: Document,
  { url: server, wanted }: Pick<Known, 'url' | 'wanted'>,
): Partial<Known> {
  const meant = issuersIn(document).map((issuer) =>
    behindProxy(server, new URL(issuer)) ? issuer.replace('http:', 'https:') : issuer,
  );
  const first = meant.slice(0, MOST_ISSUERS);
  const issuers =
    wanted !== undefined && meant.includes(wanted) && !first.includes(wanted) ? [...first.slice(1), wanted] : first;
  return { resource: { url, document }, ...(issuers.length > 0 && { issuers }) };
}

const issuersIn = (document: Document): readonly string[] => [
  ...new Set(stringsIn(document, 'authorization_servers').filter((one) => webUrl(one))),
];

/** RFC 9728 §3.3: `resource` must be identical to the URL that the client calls. */
function judgeIdentifier(document: Document, chosen: Place, url: URL, learned: Partial<Known>): Verdict | undefined {
  const found = document.resource;
  const own = typeof found === 'string' ? URL.parse(found) : null;
  if (!own) {
    const says = `The metadata at ${chosen.url} has no resource, or one that is no URL (RFC 9728 §2).`;
    return fault('mcp-server', says, `Set resource to ${url.href}.`, learned);
  }
  if (own.href === url.href || isRoot(own, url)) return undefined;
  if (own.protocol === 'http:' && own.href.replace('http:', 'https:') === url.href)
    return fault('mcp-server', `resource is ${found}, with http (RFC 9728 §3.3).`, PROXY, learned);
  const says = `resource is ${found}, but clients call ${url.href} and compare both exactly (RFC 9728 §3.3).`;
  const fix =
    own.origin === url.origin
      ? `Set resource to ${url.href}, also where only a slash differs; or use ${own.href} in clients. The official SDKs accept a parent, stricter clients do not.`
      : `Set resource to ${url.href}: the server does not know the name under which it is reached. Or use ${own.href} in clients.`;
  return fault('mcp-server', says, fix, learned);
}

/** The place with the path of the server is for this resource alone (RFC 9728 §3.1), wherever the challenge points. */
function judgeOther(
  places: readonly Place[],
  chosen: Place,
  { resource: right }: Document,
  learned: Partial<Known>,
  url: URL,
): Verdict | undefined {
  const [own] = resourcePlaces(url, undefined);
  const other = places.find((place) => place !== chosen && place.url === own);
  const document = other && documentOf(other);
  if (!other || !document || document.resource === right) return undefined;
  const says = `${other.url} has the resource ${foreignText(document.resource).slice(0, 200)}, and ${chosen.url} has ${url.href}: clients read either.`;
  return fault('mcp-server', says, 'Serve the same document at both places.', learned);
}

/** A URL without a path is written with or without a slash. */
const isRoot = (own: URL, url: URL): boolean => own.origin === url.origin && `${own.pathname}${url.pathname}` === '//';

function judgeIssuers(
  document: Document,
  chosen: Place,
  { url, wanted }: Pick<Known, 'url' | 'wanted'>,
  learned: Partial<Known>,
): Verdict {
  const issuers = issuersIn(document);
  if (issuers.length === 0) {
    const says = `The metadata at ${chosen.url} names no authorization server.`;
    return fault('mcp-server', says, 'List the issuer, as a URL, in authorization_servers.', learned);
  }
  const plain = issuers.filter((issuer) => behindProxy(url, new URL(issuer)));
  if (plain.length > 0)
    return fault('mcp-server', `authorization_servers has ${plain.join(', ')}, with http.`, PROXY, learned);
  const odd = [document.authorization_servers].flat().find((one) => !webUrl(one));
  if (odd !== undefined) {
    const says = `authorization_servers has ${foreignText(odd).slice(0, 200)}, which is no URL: clients that check it refuse the whole list.`;
    return fault('mcp-server', says, 'List issuers only, each as a URL (RFC 9728 §2).', learned);
  }
  if (wanted !== undefined && !issuers.includes(wanted)) {
    const says = `${chosen.url} names ${issuers.join(', ')}, and not ${wanted}.`;
    return fault('user', says, 'Give one of these as --issuer, exactly as it is written there.', learned);
  }
  const methods = document.bearer_methods_supported;
  if (Array.isArray(methods) && !methods.includes('header'))
    return fault(
      'mcp-server',
      'bearer_methods_supported is without header.',
      'Clients of MCP send the token there: add it.',
      learned,
    );
  if (chosen.hops.length > 0)
    return note(`Found after a redirect to ${chosen.hops.at(-1)}, which some clients do not follow.`, learned);
  const limit = issuers.length > MOST_ISSUERS ? `, of which ${MOST_ISSUERS} are examined` : '';
  return passed(`${chosen.url} names ${issuers.join(', ')}${limit}`, learned);
}
