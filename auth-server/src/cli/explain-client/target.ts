/** Owns the checks of resource (RFC 8707) and scope, in this order: which scopes are possible depends on the resource. */
import type { KnownClient } from '../../compose/in-process/server.ts';
import type { Check } from './check.ts';
import { mendResource, mendScope } from './mends.ts';
import { only, type Pairs, type Request, testPath } from './request.ts';
import { ask, refusedBy, type Verdict, type Walk } from './verdict.ts';

interface Target {
  readonly redirect: Pairs;
  readonly known: KnownClient | undefined;
}

export async function checkTarget(
  walk: Walk,
  { clientId, pairs }: Request,
  { redirect, known }: Target,
): Promise<readonly Check[]> {
  const resource = only(pairs, ['resource']);
  const test = (tested: Pairs) => ask(walk, testPath(clientId, [...redirect, ...tested]));
  const target = await test(resource);
  if (target.refused) {
    const refused = target.refused;
    const singly = await isOneRefused(test, resource);
    const expected = walk.config.resources.map(({ identifiers }) => identifiers[0]).join(' or ');
    const found = resource.map(([, value]) => value).join(' ');
    return [
      { check: 'resource', found, expected, ...refusedBy(refused), ...mendResource(singly) },
      { check: 'scope', result: 'unchecked', note: 'its resource is refused' },
    ];
  }
  const asked = resource.map(([, value]) => value).join(' ');
  const resourceCheck: Check = {
    check: 'resource',
    result: 'accepted',
    found: asked || undefined,
    note: asked ? undefined : `not named, so it is the first of RESOURCES: ${target.asked?.resource}`,
  };
  const scope = only(pairs, ['scope']);
  const verdict = scope.length === 0 ? target : await test([...resource, ...scope]);
  const unread = unreadScopes(walk);
  return [resourceCheck, scopeCheck(scope, verdict, { known, unread })];
}

async function isOneRefused(test: (tested: Pairs) => Promise<Verdict>, resources: Pairs): Promise<boolean> {
  for (const one of resources) if ((await test([one])).refused) return true;
  return false;
}

/** Metadata of MCP servers that could not be read, so that their scopes are those of our own MCP server. */
const unreadScopes = ({ server }: Walk): readonly string[] =>
  server.warnings
    .filter(({ msg }) => msg === 'resource metadata could not be fetched')
    .map(({ url, reason }) => `(${url} could not be read, so the usual scopes are assumed: ${reason})`);

interface ScopeFacts {
  readonly known: KnownClient | undefined;
  readonly unread: readonly string[];
}

function scopeCheck(scope: Pairs, { refused, asked }: Verdict, { known, unread }: ScopeFacts): Check {
  const sent = scope.map(([, value]) => value).join(' ');
  const about = { check: 'scope', found: sent || undefined };
  if (refused) return { ...about, ...refusedBy(refused), ...mendScope(known), note: unread.join(' ') || undefined };
  const granted = new Set(asked?.scope?.split(' '));
  const left = sent.split(' ').filter((name) => name && !granted.has(name));
  const notes = [
    sent === '' ? 'not named, so the person is asked for' : 'the person is asked for',
    `${asked?.scope}`,
    ...(left.length > 0 ? [`(left out, because they are not possible here: ${left.join(' ')})`] : []),
    ...unread,
  ];
  return { ...about, result: 'accepted', note: notes.join(' ') };
}
