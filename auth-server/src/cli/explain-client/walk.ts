/**
 * Owns the order of the checks. Each is a real request to the server, in which one part is the client's and the rest is correct, so
 * that every fault is found and not only the first. The last is the request as the client has built it.
 */
import type { JsonObject } from '@mcp-oauth/shared/json';
import type { KnownClient } from '../../compose/in-process/server.ts';
import type { Check } from './check.ts';
import { mendFlow, mendGroup, mendRedirectUri, mendUnknownClient, offered } from './mends.ts';
import { authorizePath, type Group, groupsOf, only, type Pairs, type Request, testPath, valuesOf } from './request.ts';
import { checkTarget } from './target.ts';
import { ask, refusedBy, type Walk } from './verdict.ts';

export async function explainRequest(walk: Walk, request: Request): Promise<readonly Check[]> {
  const { clientId, pairs, url } = request;
  const metadata = (await walk.server.ask('/.well-known/oauth-authorization-server')).body;
  const address = url ? [checkAddress(url, metadata)] : [];
  const { check, known } = await findClient(walk, clientId);
  if (check.result === 'refused') return [...address, check];
  if (valuesOf(pairs, 'request_uri').length > 0) return [...address, check, await checkWhole(walk, request)];
  const flow = await checkRedirectUris(walk, request, known);
  const checks = [...address, check, ...flow.checks];
  if (flow.usable === undefined) return [...checks, ...unchecked(request, flow.why)];
  const redirect: Pairs = [['redirect_uri', flow.usable]];
  const groups = url ? groupsOf(pairs) : [];
  for (const group of groups) checks.push(await checkGroup(walk, { request, group, redirect, metadata }));
  checks.push(...(await checkTarget(walk, request, { redirect, known })));
  const isFine = checks.every(({ result }) => result === 'accepted');
  return url && isFine ? [...checks, await checkWhole(walk, request)] : checks;
}

function checkAddress(url: URL, { authorization_endpoint: endpoint }: JsonObject): Check {
  const found = `${url.origin}${url.pathname}`;
  if (found === endpoint) return { check: 'address', result: 'accepted', found };
  return {
    check: 'address',
    result: 'refused',
    found,
    expected: String(endpoint),
    reason: 'this is not the authorization endpoint of this server',
    turn: 'client',
    mend: 'Take authorization_endpoint from the metadata of this server. If this server has another public URL, the operator sets ISSUER.',
    setting: 'ISSUER',
  };
}

async function findClient(
  walk: Walk,
  id: string | undefined,
): Promise<{ check: Check; known?: KnownClient | undefined }> {
  const { knowsClient, refused } = await ask(walk, testPath(id, []));
  const about = { check: 'client', found: id };
  if (!knowsClient && refused) {
    return { check: { ...about, ...refusedBy(refused), ...mendUnknownClient(id, refused, walk.config) } };
  }
  const known = id === undefined ? undefined : await walk.server.client(id);
  return { check: { ...about, result: 'accepted', note: known && KINDS[known.kind] }, known };
}

const KINDS: Readonly<Record<KnownClient['kind'], string>> = {
  document: 'by its metadata document',
  operator: 'added by the operator',
  registered: 'registered',
};

interface Flow {
  readonly checks: Check[];
  /** A redirect URI with which the other checks can be made. */
  readonly usable?: string | undefined;
  readonly why: string;
}

async function checkRedirectUris(
  walk: Walk,
  { clientId = '', pairs, url }: Request,
  known: KnownClient | undefined,
): Promise<Flow> {
  const registered = [known?.metadata.redirect_uris ?? []].flat().map(String);
  const given = valuesOf(pairs, 'redirect_uri');
  const isNamed = given.length > 0 || url !== undefined;
  const check = 'redirect URI';
  if (!isNamed && registered.length === 0) {
    const note = 'this client signs nobody in: it asks for tokens at /token';
    return { checks: [{ check, result: 'unchecked', note }], why: note };
  }
  const checks: Check[] = [];
  let usable: string | undefined;
  // A repeated or missing parameter is tested as it was sent.
  const tests = isNamed ? [given] : registered.map((one) => [one]);
  for (const uris of tests) {
    const verdict = await ask(
      walk,
      testPath(
        clientId,
        uris.map((uri) => ['redirect_uri', uri] as const),
      ),
    );
    const found = uris.join(' ') || undefined;
    const { refused } = verdict;
    if (!refused) {
      usable ??= uris[0];
      checks.push({ check, result: 'accepted', found, note: sameListener(uris[0], registered) });
    } else if (uris.length !== 1 || refused.error === 'invalid_redirect_uri') {
      const expected = registered.join(' or ') || undefined;
      checks.push({
        check,
        found,
        expected,
        ...refusedBy(refused),
        ...mendRedirectUri(uris.length, known?.kind, clientId),
      });
    } else if (url === undefined && known?.metadata.require_pushed_authorization_requests === true) {
      const note = 'this client pushes its requests (RFC 9126), so nothing of them is known here';
      return { checks: [...checks, { check, result: 'unchecked', found, note }], why: note };
    } else {
      checks.push({ check: 'authorization code', ...refusedBy(refused), ...mendFlow(known?.kind) });
      return { checks, why: 'the client cannot ask for a code like this' };
    }
  }
  return {
    checks,
    usable: usable ?? (await firstUsable(walk, clientId, registered)),
    why: 'no redirect URI is allowed',
  };
}

const sameListener = (uri: string | undefined, registered: readonly string[]): string | undefined =>
  uri === undefined || registered.includes(uri) ? undefined : `as another spelling of ${registered.join(' or ')}`;

async function firstUsable(walk: Walk, clientId: string, registered: readonly string[]): Promise<string | undefined> {
  for (const uri of registered) {
    if (!(await ask(walk, testPath(clientId, [['redirect_uri', uri]]))).refused) return uri;
  }
  return undefined;
}

const unchecked = ({ pairs }: Request, note: string): readonly Check[] =>
  ['resource', 'scope']
    .filter((name) => only(pairs, [name]).length > 0)
    .map((check) => ({ check, result: 'unchecked', note }));

interface GroupTest {
  readonly request: Request;
  readonly group: Group;
  readonly redirect: Pairs;
  readonly metadata: JsonObject;
}

async function checkGroup(walk: Walk, { request, group, redirect, metadata }: GroupTest): Promise<Check> {
  const { check, names, isShown } = group;
  const sent = only(request.pairs, names);
  const verdict = await ask(walk, testPath(request.clientId, [...redirect, ...sent], names));
  const found = sent.map(([name, value]) => (isShown ? `${name}=${value}` : name)).join(' ') || 'nothing';
  const note = verdict.needsPerson ? NEEDS_PERSON : undefined;
  if (!verdict.refused) return { check, result: 'accepted', found, note };
  return { check, found, expected: offered(check, metadata), ...refusedBy(verdict.refused), ...mendGroup(check) };
}

const NEEDS_PERSON = 'prompt=none gets an error until the person has signed in and approved';

/** The request as it is: what no single group shows, such as the size of all parameters together. */
async function checkWhole(walk: Walk, { clientId, pairs }: Request): Promise<Check> {
  const verdict = await ask(walk, authorizePath(clientId, pairs));
  const check = 'request as a whole';
  if (!verdict.refused) return { check, result: 'accepted', note: verdict.needsPerson && NEEDS_PERSON };
  return { check, ...refusedBy(verdict.refused), ...mendGroup() };
}
