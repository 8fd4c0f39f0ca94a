/** Owns what a client in a web page sees (Fetch standard, CORS): whether it may ask, and which answers and headers it can read. */
import { streamRequest } from '../mcp/http-sse.ts';
import { headersOf, type Sender } from '../mcp/message.ts';
import type { ProbeResponse } from '../network/request.ts';
import { fault, type Known, note, passed, serversOf, step, type Verdict } from '../step.ts';
import { webUrl } from './document.ts';

interface Seen {
  readonly preflight: ProbeResponse;
  readonly answer: ProbeResponse;
  /** The public documents that were found, and refusals of token endpoints, as a page reads them. */
  readonly documents: readonly ProbeResponse[];
  readonly registrations: readonly ProbeResponse[];
}

/** The headers that a request of MCP has beyond those that every page may send. */
const needed = ({ httpSse, open }: Pick<Known, 'httpSse' | 'open'>): readonly string[] =>
  httpSse ? (open ? [] : ['authorization']) : ['authorization', 'content-type', 'mcp-protocol-version'];

export const page = step(
  'page',
  ({ client, first, open }) => {
    if (!client.page) return `${client.name} is no web page`;
    return first?.status === 401 || open ? undefined : 'the server was not reached';
  },
  async ({ ask }, known): Promise<Seen> => {
    const { url, origin, client, httpSse } = known;
    const sender = { origin, userAgent: client.userAgent };
    const method = httpSse ? 'GET' : 'POST';
    const sent = httpSse ? needed(known) : [...needed(known), 'mcp-session-id'];
    const preflight = await ask(preflightTo(url, sender, sent, method));
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
    const answer = await ask(httpSse ? streamRequest(url, sender) : { url, method, headers: headersOf(sender), body });
    const documents: ProbeResponse[] = [];
    const servers = serversOf(known);
    for (const found of [known.resource, ...servers]) {
      if (found)
        documents.push(
          await ask({
            url: found.url,
            headers: { accept: 'application/json', origin, 'user-agent': client.userAgent },
          }),
        );
    }
    const registrations: ProbeResponse[] = [];
    for (const { document } of servers) {
      const tokens = webUrl(document.token_endpoint);
      if (tokens) documents.push(await ask(codeless(tokens, sender)));
      const endpoint = webUrl(document.registration_endpoint);
      if (endpoint) registrations.push(await ask(preflightTo(endpoint, sender, ['content-type'])));
    }
    return { preflight, answer, documents, registrations };
  },
  judgePage,
);

const preflightTo = (url: URL, { origin, userAgent }: Sender, headers: readonly string[], method = 'POST') => ({
  url,
  method: 'OPTIONS',
  headers: {
    origin,
    'user-agent': userAgent,
    'access-control-request-method': method,
    'access-control-request-headers': headers.join(','),
  },
});

/** A request for tokens without a code: it is refused, and a page has to be able to read why. It needs no preflight. */
const codeless = (url: URL, { origin, userAgent }: Sender) => ({
  url,
  method: 'POST',
  headers: { origin, 'user-agent': userAgent, 'content-type': 'application/x-www-form-urlencoded' },
  body: 'grant_type=authorization_code',
});

function judgePage(seen: Seen, known: Pick<Known, 'origin' | 'open' | 'httpSse'>): Verdict {
  const { origin } = known;
  const { preflight, answer, documents, registrations } = seen;
  if (!isReadable(answer, origin) && answer.status === 403 && preflight.status === 403)
    return note(
      `Web pages of ${origin} are refused with 403. If that is not intended, allow the origin at the server.`,
    );
  const atServer = problemsAtServer(preflight, answer, known);
  const atDocuments = documents
    // What does not answer at all is no matter of web pages.
    .filter((response) => response.status > 0 && !isReadable(response, origin))
    .map(({ url }) => `${url} can't be read`);
  const atRegistration = registrations
    .filter((response) => !mayAsk(response, origin))
    .map(({ url }) => `${url} does not answer OPTIONS with permission`);
  const problems = [...atServer, ...atDocuments, ...atRegistration];
  const learned = { exposed: isReadable(answer, origin) ? exposedBy(answer) : undefined };
  if (problems.length === 0) return passed(`a page of ${origin} can ask and read`, learned);
  const says = `Clients in a web page, such as MCP Inspector, are kept out (CORS): ${problems.join('; ')}.`;
  const fix =
    'Answer OPTIONS without a token. Send Access-Control-Allow-Origin also with errors, and expose WWW-Authenticate and Mcp-Session-Id. If no page is meant to call the server, leave this step out: --origin none.';
  return fault(atServer.length > 0 ? 'mcp-server' : 'authorization-server', says, fix, learned);
}

function problemsAtServer(
  preflight: ProbeResponse,
  answer: ProbeResponse,
  known: Pick<Known, 'origin' | 'open' | 'httpSse'>,
): readonly string[] {
  const { origin, open } = known;
  const problems: string[] = [];
  const sent = needed(known);
  const denied = sent.filter((name) => !allows(preflight, name));
  // A page sends no OPTIONS before a GET without such headers.
  if (sent.length > 0 && !mayAsk(preflight, origin))
    problems.push(`OPTIONS is answered ${preflight.status} without permission to ask`);
  else if (denied.length > 0) problems.push(`Access-Control-Allow-Headers lacks ${denied.join(', ')}`);
  if (!isReadable(answer, origin)) problems.push(`the answer ${answer.status} of the server can't be read`);
  else if (!open && !['*', 'www-authenticate'].some((name) => exposedBy(answer).includes(name)))
    problems.push('Access-Control-Expose-Headers lacks WWW-Authenticate');
  return problems;
}

const exposedBy = ({ headers }: ProbeResponse): readonly string[] => namesIn(headers['access-control-expose-headers']);

const isReadable = ({ headers }: ProbeResponse, origin: string): boolean =>
  ['*', origin].includes(headers['access-control-allow-origin'] ?? '');

const mayAsk = (preflight: ProbeResponse, origin: string): boolean =>
  preflight.status >= 200 && preflight.status < 300 && isReadable(preflight, origin);

/** `*` does not cover `Authorization` (Fetch standard §4.9). */
const allows = ({ headers }: ProbeResponse, name: string): boolean => {
  const allowed = namesIn(headers['access-control-allow-headers']);
  return allowed.includes(name) || (allowed.includes('*') && name !== 'authorization');
};

const namesIn = (header = ''): readonly string[] => header.split(',').map((name) => name.trim().toLowerCase());
