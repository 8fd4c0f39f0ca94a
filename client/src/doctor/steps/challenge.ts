/** Owns the challenge of the first 401: how `WWW-Authenticate` is read (RFC 9110 §11.6.1), and what a client needs in it. */
import type { ProbeResponse } from '../network/request.ts';
import { type Challenge, fault, type Known, note, passed, step, type Verdict } from '../step.ts';
import { behindProxy, PROXY } from './proxy.ts';

const TOKEN = "[\\w!#$%&'*+.^`|~-]+";
const SCHEME = new RegExp(`^\\s*,*\\s*(${TOKEN})(?:\\s+|$|(?=,))`);
const PARAMETER = new RegExp(`^\\s*,?\\s*(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))\\s*(?=,|$)`);

/**
 * @returns the challenges up to the first mistake, and the rest, which can't be read
 */
export function readChallenges(header: string): { readonly challenges: readonly Challenge[]; readonly unread: string } {
  const challenges: Challenge[] = [];
  let rest = header;
  for (let scheme = SCHEME.exec(rest); scheme; scheme = SCHEME.exec(rest)) {
    rest = rest.slice(scheme[0].length);
    const parameters: Record<string, string> = {};
    for (let found = PARAMETER.exec(rest); found; found = PARAMETER.exec(rest)) {
      const [all, name = '', quoted, token = ''] = found;
      parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? token;
      rest = rest.slice(all.length);
    }
    challenges.push({ scheme: scheme[1] ?? '', parameters });
    if (!/^\s*(,|$)/.test(rest)) break;
  }
  return { challenges, unread: rest.trim() };
}

export const challenge = step(
  'challenge',
  ({ open, first }) => (open ? 'the server needs no sign-in' : first?.status === 401 ? undefined : 'there was no 401'),
  async (_, { first }) => first as ProbeResponse,
  judgeChallenge,
);

const EXAMPLE = 'WWW-Authenticate: Bearer resource_metadata="https://…/.well-known/oauth-protected-resource/…"';

function judgeChallenge({ headers }: ProbeResponse, { url }: Pick<Known, 'url'>): Verdict {
  const header = headers['www-authenticate'];
  if (header === undefined) {
    const remapped = Object.keys(headers).find((name) => /^x-.*www-authenticate$/.test(name));
    if (remapped) {
      const says = `The 401 has no WWW-Authenticate: a gateway has renamed it to ${remapped}.`;
      return fault('network', says, 'Map the header back at the gateway, or answer the 401 from the gateway itself.');
    }
    const says =
      'The 401 has no WWW-Authenticate header, so a client does not learn where to sign in (RFC 9110 §15.5.2).';
    return fault('mcp-server', says, `Send ${EXAMPLE}. If the server does, a proxy in front strips it.`);
  }
  const { challenges, unread } = readChallenges(header);
  const byName = (name: string) => challenges.find(({ scheme }) => scheme.toLowerCase() === name);
  const bearer = byName('bearer') ?? byName('dpop');
  if (unread) {
    const says = `WWW-Authenticate can't be read from here on: ${unread.slice(0, 200)}`;
    return fault('mcp-server', says, `Put each value in double quotes, with a comma between parameters: ${EXAMPLE}.`);
  }
  if (!bearer) {
    const says = `WWW-Authenticate offers ${challenges.map(({ scheme }) => scheme).join(', ') || 'nothing'}, not Bearer.`;
    return fault('mcp-server', says, `Send ${EXAMPLE}. If the server does, a proxy in front has its own login.`);
  }
  const named = bearer.parameters.resource_metadata;
  if (named === undefined) {
    const says = 'The challenge has no resource_metadata (RFC 9728 §5.1): clients that look nowhere else stop here.';
    return fault('mcp-server', says, `Send ${EXAMPLE}.`, { challenge: bearer });
  }
  const target = URL.parse(named);
  if (!target || !/^https?:$/.test(target.protocol)) {
    const says = `resource_metadata is no absolute URL: ${named.slice(0, 200)}`;
    return fault('mcp-server', says, `Write the whole URL: ${EXAMPLE}.`);
  }
  if (behindProxy(url, target)) {
    const says = `resource_metadata is ${target.href}, with http, although the server is reached by https.`;
    const { resource_metadata: _, ...parameters } = bearer.parameters;
    return fault('mcp-server', says, PROXY, { challenge: { ...bearer, parameters } });
  }
  if (!byName('bearer'))
    return note("DPoP only (RFC 9449): clients that have no proofs can't connect.", { challenge: bearer });
  return passed(`Bearer, resource_metadata=${target.href}`, { challenge: bearer });
}
