/** Owns the first requests with a token: which revisions of MCP the server speaks, and why it refuses the token if it does. */
import type { ProbeResponse } from '../network/request.ts';
import { fault, type Known, passed, step, type Verdict } from '../step.ts';
import { readChallenges } from '../steps/challenge.ts';
import { judgeTalk, mayHaveHttpSse, type Talk, talk } from './http-sse.ts';
import {
  asDocument,
  errorOf,
  initializeRequest,
  isLimited,
  LIMIT_FIX,
  messageOf,
  resultOf,
  SESSIONFUL,
  STATELESS,
  statelessPost,
} from './message.ts';
import { NO_TOKEN } from './token.ts';

interface Seen {
  readonly sessionful: ProbeResponse;
  readonly stateless: ProbeResponse;
}

type Observed = Seen | { readonly former: Talk };

/** Why the steps that talk MCP are not tried. */
const closed = ({ open, token, first }: Known): string | undefined => {
  if (first?.status !== 401 && !open) return 'the server was not reached';
  return open || token ? undefined : NO_TOKEN;
};

/** The same for steps that need a revision which both sides speak. */
export const unopened = (known: Known): string | undefined => {
  if (known.modern === undefined) return closed(known) ?? 'initialize failed';
  return (known.revision ?? known.modern[0]) ? closed(known) : 'sessions failed';
};

export const initialize = step(
  'initialize',
  closed,
  async (dependencies, known): Promise<Observed> => {
    if (known.httpSse) return { former: await talk(dependencies, known, []) };
    const { url, client, token } = known;
    const { ask } = dependencies;
    const sessionful = await ask(initializeRequest(url, client.userAgent, { token }));
    const stateless = await ask(statelessPost(url, { token, userAgent: client.userAgent }, 'server/discover'));
    if (!mayHaveHttpSse(sessionful) || versionsOf(stateless).length > 0) return { sessionful, stateless };
    // A server that checks the token first has shown only now that it has no Streamable HTTP.
    const former = await talk(dependencies, known, []);
    return former.endpoint === undefined ? { sessionful, stateless } : { former };
  },
  (observed, known) => ('former' in observed ? judgeHttpSse(observed.former, known) : judgeInitialize(observed, known)),
);

function judgeHttpSse(former: Talk, known: Pick<Known, 'objections' | 'token' | 'url'>): Verdict {
  const refused = [former.stream, ...former.answers].find(({ status }) => status === 401 || status === 403);
  if (refused) return judgeRefusal(refused, known);
  const problem = judgeTalk(former, known.url);
  if (problem) return problem;
  const [answer] = former.answers;
  const result = answer && resultOf(answer);
  if (typeof result?.protocolVersion !== 'string') {
    const says = `initialize over HTTP+SSE is answered without a revision: ${answer ? errorOf(answer) : ''}.`;
    return fault('mcp-server', says, 'The log of the server has the reason.');
  }
  const { name } = asDocument(result.serverInfo) ?? {};
  return passed(`${typeof name === 'string' ? `${name} speaks ` : ''}${result.protocolVersion} over HTTP+SSE`, {
    httpSse: true,
    revision: result.protocolVersion,
    modern: [],
    capabilities: asDocument(result.capabilities) ?? {},
  });
}

export function judgeInitialize({ sessionful, stateless }: Seen, known: Pick<Known, 'objections' | 'token'>): Verdict {
  if (sessionful.status === 401 || sessionful.status === 403) return judgeRefusal(sessionful, known);
  if (isLimited(sessionful))
    return fault('user', 'The server limits requests (429), so nothing more can be tried.', LIMIT_FIX);
  const result = resultOf(sessionful);
  const revision = typeof result?.protocolVersion === 'string' ? result.protocolVersion : undefined;
  const modern = versionsOf(stateless);
  if (revision === undefined && modern.length === 0) {
    const says = `The server speaks neither ${SESSIONFUL} nor ${STATELESS}: it answers ${errorOf(sessionful)}.`;
    return fault(
      'mcp-server',
      says,
      'The log of the server has the reason. A proxy that changes the body or its Content-Type does the same.',
    );
  }
  const { name } = asDocument(result?.serverInfo) ?? {};
  const versions = [...new Set([revision ?? [], modern].flat())].join(', ');
  return passed(`${typeof name === 'string' ? `${name} speaks ` : ''}${versions}`, {
    revision,
    modern,
    capabilities: asDocument((result ?? resultOf(stateless))?.capabilities) ?? {},
    session: sessionful.headers['mcp-session-id'],
  });
}

/** The revisions without sessions: as `server/discover` lists them, or as an error about an unknown version does. */
function versionsOf(response: ProbeResponse): readonly string[] {
  const result = resultOf(response);
  const data = asDocument(asDocument(messageOf(response)?.error)?.data);
  const listed = result?.supportedVersions ?? data?.supported;
  return Array.isArray(listed) ? listed.filter((one) => typeof one === 'string' && one >= STATELESS) : [];
}

function judgeRefusal(
  response: ProbeResponse,
  { objections = [], token }: Pick<Known, 'objections' | 'token'>,
): Verdict {
  const says = `The server refuses the token: ${errorOf(response)}.`;
  const { challenges } = readChallenges(response.headers['www-authenticate'] ?? '');
  const challenge = challenges.find(({ parameters }) => parameters.error === 'insufficient_scope');
  if (challenge) {
    const scope = challenge.parameters.scope ?? '';
    return fault('user', says, `Get a token with the scope ${scope}: sign in again and ask for it.`);
  }
  if (token === undefined)
    return fault('mcp-server', says, 'Answer every request alike: with 401, or without a token.');
  const [first] = objections;
  if (first)
    return fault(
      first.responsible,
      `${says} The token: ${objections.map((objection) => objection.says).join('; ')}.`,
      first.fix,
    );
  const fix =
    'The token looks right from here: the log of the server has the reason (another audience, issuer, or key).';
  return fault('mcp-server', says, fix);
}
