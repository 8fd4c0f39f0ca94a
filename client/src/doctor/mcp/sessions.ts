/** Owns the steps inside a session: whether it survives new connections, and so other replicas, and whether the tools are listed. */
import { METHOD_NOT_FOUND } from '@mcp-oauth/shared/json-rpc-codes';
import { foreignText } from '../foreign-text.ts';
import type { ProbeResponse } from '../network/request.ts';
import { fault, type Known, note, passed, step, type Verdict } from '../step.ts';
import { talk } from './http-sse.ts';
import { unopened } from './initialize.ts';
import { asDocument, errorOf, isLimited, messageOf, notify, post, resultOf, statelessPost } from './message.ts';

/** A session that does not hold is not used by the following steps. */
const LOST = { revision: undefined } as const;

/** With two replicas that share nothing, all requests reach the right one in one of 32 runs. */
const REQUESTS = 6;

export const sessions = step(
  'sessions',
  (known) => unopened(known) ?? (known.revision === undefined ? 'the server has no revision with sessions' : undefined),
  async (dependencies, known): Promise<readonly ProbeResponse[]> => {
    if (known.httpSse) return (await talk(dependencies, known, Array(REQUESTS).fill('ping'))).answers.slice(1);
    const { ask } = dependencies;
    const { url, client, token, session, revision } = known;
    const { userAgent } = client;
    const sender = { userAgent, token, session, revision };
    await ask(notify(url, sender, 'notifications/initialized'));
    const answers: ProbeResponse[] = [];
    for (let n = 0; n < REQUESTS && answers.at(-1)?.status !== 0; n++)
      answers.push(await ask(post(url, sender, 'ping', {}, n + 2)));
    return answers;
  },
  judgeSessions,
);

function judgeSessions(
  answers: readonly ProbeResponse[],
  known: Pick<Known, 'session' | 'exposed' | 'client' | 'httpSse' | 'open' | 'token'>,
): Verdict {
  const { session, exposed, client, httpSse } = known;
  const failed = answers.filter((response) => !isReached(response));
  const [first] = failed;
  const silent = failed.find(({ status }) => status === 0);
  if (silent) {
    const says = `A request of the session gets no answer (${silent.failure}), although initialize got one.`;
    return fault('mcp-server', says, 'The log of the server, or of the proxy in front of it, has the reason.', LOST);
  }
  const other = first && otherReason(first, known);
  if (other) return other;
  if (httpSse) {
    if (answers.length === REQUESTS && !first)
      return passed(`${REQUESTS} requests on ${REQUESTS} connections belong to one stream`);
    const says = `A request does not reach the stream of its session: ${first ? errorOf(first) : 'no answer'}.`;
    return fault('mcp-server', says, `${REPLICAS}.`, LOST);
  }
  if (session === undefined) {
    if (!first) return passed('no Mcp-Session-Id: each request stands alone');
    const says = `initialize gave no Mcp-Session-Id, and the next request is refused: ${errorOf(first)}.`;
    const fix = 'A proxy strips Mcp-Session-Id from answers: let it pass. If there is none, the server has to send it.';
    return fault('network', says, fix, LOST);
  }
  if (!first) {
    if (client.page && exposed && !exposed.includes('*') && !exposed.includes('mcp-session-id')) {
      const says = 'Access-Control-Expose-Headers lacks Mcp-Session-Id: a client in a web page loses its session.';
      return fault('mcp-server', says, 'Expose Mcp-Session-Id.');
    }
    return passed(`${answers.length} requests on ${answers.length} connections belong to one session`);
  }
  if (failed.length === answers.length && first.status === 400) {
    const says = `Each request of the session is refused as if it had no Mcp-Session-Id: ${errorOf(first)}.`;
    return fault('network', says, 'A proxy strips Mcp-Session-Id from requests: let it pass.', LOST);
  }
  const says = `${failed.length} of ${answers.length} requests do not reach the session: ${errorOf(first)}.`;
  return fault('mcp-server', says, `${REPLICAS}, by Mcp-Session-Id.`, LOST);
}

const REPLICAS =
  'The replicas of the server do not share their sessions: give them a shared store, or bind each client to one replica';

/** Some servers have no `ping`: their session has said so. */
const isReached = (response: ProbeResponse): boolean =>
  resultOf(response) !== undefined || asDocument(messageOf(response)?.error)?.code === METHOD_NOT_FOUND;

/** A refusal that says nothing about sessions or tools. */
function otherReason(response: ProbeResponse, { open, token }: Pick<Known, 'open' | 'token'>): Verdict | undefined {
  if (isLimited(response)) return note('The server limits requests (429), so this was not compared.');
  if (response.status !== 401 || !open || token !== undefined) return undefined;
  const says = 'initialize needs no token, but other requests do (401). So the sign-in was not examined:';
  return note(`${says} give a token with --token-file.`, LOST);
}

export const tools = step(
  'tools',
  (known) => unopened(known) ?? (known.capabilities?.tools ? undefined : 'the server says that it offers none'),
  async (dependencies, known) => {
    if (known.httpSse) return (await talk(dependencies, known, ['tools/list'])).answers.at(-1);
    const { ask } = dependencies;
    const { url, client, token, session, revision } = known;
    const { userAgent } = client;
    const sender = { userAgent, token, session, revision };
    return ask(revision === undefined ? statelessPost(url, sender, 'tools/list') : post(url, sender, 'tools/list'));
  },
  judgeTools,
);

const SHOWN = 8;

function judgeTools(response: ProbeResponse | undefined, known: Pick<Known, 'open' | 'token'>): Verdict {
  if (!response)
    return fault('mcp-server', 'The stream for tools/list does not open.', 'The log of the server has the reason.');
  const listed = resultOf(response)?.tools;
  if (!Array.isArray(listed)) {
    const other = otherReason(response, known);
    if (other) return other;
    const says = `tools/list is answered ${errorOf(response)}.`;
    if (response.cut)
      return fault('mcp-server', `${says} The answer is too large, or does not end.`, 'Answer in pages (nextCursor).');
    return fault(
      'mcp-server',
      says,
      'The log of the server has the reason. A server without tools answers with an empty list.',
    );
  }
  const names = listed.map((tool) => foreignText(tool?.name));
  const more = names.length > SHOWN ? ', …' : '';
  return passed(`${names.length}: ${names.slice(0, SHOWN).join(', ')}${more}`);
}
