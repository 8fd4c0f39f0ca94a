/** Owns the steps up to the first answer: the name of the host, TLS, and a request without a token. */
import { MCP_PATH, urlPath } from '@mcp-oauth/shared/contract';
import { isLoopback } from '@mcp-oauth/shared/network/internal-host';
import { mayHaveHttpSse, streamRequest } from '../mcp/http-sse.ts';
import { initializeRequest, isJsonRpc, isLimited, LIMIT_FIX } from '../mcp/message.ts';
import type { Named, Secured } from '../network/connection.ts';
import type { ProbeResponse } from '../network/request.ts';
import { fault, type Known, note, passed, step, type Verdict } from '../step.ts';

export const name = step(
  'name',
  () => undefined,
  (dependencies, { url }) => dependencies.lookup(url),
  judgeName,
);

function judgeName({ addresses, proxy, failure }: Named, { url: { hostname } }: Pick<Known, 'url'>): Verdict {
  if (proxy) return passed(`the proxy ${proxy} looks it up`);
  if (addresses[0] === hostname.replace(/^\[|\]$/g, '')) return passed('an address, which needs no DNS');
  if (addresses.length > 0) return passed(`${hostname} is ${addresses.join(', ')}`);
  return fault(
    'network',
    `${hostname} has no address here (${failure ?? 'none found'}).`,
    'Compare the spelling of the URL with the DNS records of the domain. Clients in a data centre see public records only.',
  );
}

/** Warn this long before a certificate ends. */
const SOON = 7 * 86_400_000;

export const tls = step(
  'tls',
  () => undefined,
  async (dependencies, { url }) => ({
    now: dependencies.now(),
    seen: url.protocol === 'https:' ? await dependencies.secure(url) : undefined,
  }),
  judgeTls,
);

export function judgeTls(
  { now, seen }: { readonly now: number; readonly seen: Secured | undefined },
  { url }: Pick<Known, 'url'>,
): Verdict {
  if (!seen) {
    if (isLoopback(url.href)) return passed('plain http, which stays on this machine');
    const says = 'The URL is plain http: tokens can be read on their way, and most clients refuse it.';
    return fault('mcp-server', says, 'Put TLS in front of the server, and use the https URL.');
  }
  if (seen.failure) {
    const says = `There is no TLS connection to ${url.host} (${seen.failure}).`;
    return fault(
      'network',
      says,
      'Is something listening on this port, does it speak TLS, and does a firewall let it through?',
    );
  }
  const until = seen.validTo === undefined ? 'unknown' : dateOf(seen.validTo);
  if (seen.untrusted) {
    const says = `The certificate of ${seen.subject} by ${seen.issuer}, valid until ${until}, is not trusted: ${seen.untrusted}.`;
    return fault(
      'network',
      says,
      UNTRUSTED[seen.untrusted] ?? 'Install a certificate of a public authority for this name.',
    );
  }
  if (seen.validTo !== undefined && seen.validTo - now < SOON)
    return note(`The certificate ends on ${until}: its renewal may have stopped.`);
  return passed(`${seen.protocol}, certificate by ${seen.issuer} until ${until}`);
}

const UNTRUSTED: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'Renew the certificate.',
  CERT_NOT_YET_VALID: 'Compare the clocks of this machine and of the authority that made the certificate.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Install a certificate that has this host name.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'The server does not send the intermediate certificate: configure the full chain. Browsers fetch it themselves, clients do not.',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'Install a certificate of a public authority. For an authority of your own, set NODE_EXTRA_CA_CERTS here and at each client.',
  SELF_SIGNED_CERT_IN_CHAIN:
    'For an authority of your own, set NODE_EXTRA_CA_CERTS here and at each client. Clients in a data centre never know it.',
};

const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

interface Answered {
  readonly response: ProbeResponse;
  /** The answer to a GET for a stream, where a POST is not answered as by Streamable HTTP. */
  readonly stream?: { readonly head: ProbeResponse; readonly isHttpSse: boolean };
  /** An MCP endpoint at the usual path, where the given URL is none. */
  readonly endpoint?: string | undefined;
}

export const answer = step(
  'answer',
  () => undefined,
  async ({ ask, listen }, { url, client: { userAgent } }): Promise<Answered> => {
    const response = await ask(initializeRequest(url, userAgent));
    if (mayHaveHttpSse(response) && !isEndpoint(response)) {
      const { head, next, close } = await listen(streamRequest(url, { userAgent }));
      const isHttpSse = (await next())?.event === 'endpoint';
      close();
      if (head.status === 401 || isHttpSse) return { response, stream: { head, isHttpSse } };
    }
    const usual = new URL(`${urlPath(url.href)}${MCP_PATH}`, url);
    if (isEndpoint(response) || response.status === 0 || url.pathname.endsWith(MCP_PATH)) return { response };
    return { response, endpoint: isEndpoint(await ask(initializeRequest(usual, userAgent))) ? usual.href : undefined };
  },
  judgeAnswer,
);

const isEndpoint = (response: ProbeResponse): boolean =>
  response.status === 401 || (response.status === 200 && isJsonRpc(response));

const OLD =
  'only HTTP+SSE (2024-11-05), which Streamable HTTP has replaced since 2025-03-26: newer clients may not have it';

function judgeAnswer(
  { response, stream, endpoint }: Answered,
  { url, client }: Pick<Known, 'url' | 'client'>,
): Verdict {
  const { status, headers, body } = response;
  if (stream) {
    const learned = { first: stream.head, open: stream.isHttpSse, httpSse: true };
    if (stream.isHttpSse) return note(`The server answers without a token, and has ${OLD}.`, learned);
    return note(`401 without a token, as it should be, but to GET alone: ${OLD}.`, learned);
  }
  if (status === 0) {
    const says = `${url.host} does not answer (${response.failure}).`;
    const responsible = response.failure === 'ECONNREFUSED' ? 'mcp-server' : 'network';
    const fix = FAILURES[response.failure ?? ''] ?? 'Is the server running, and does a firewall let requests through?';
    return fault(responsible, says, fix);
  }
  if (status >= 300 && status < 400) return judgeRedirect(response, url);
  if (status === 401) return passed('401 without a token, as it should be', { first: response });
  if (status === 200 && isJsonRpc(response))
    return passed('the server answers without a token: it needs no sign-in', { first: response, open: true });
  if (isLimited(response)) return fault('user', 'The server limits requests (429).', LIMIT_FIX, { first: response });
  if (status === 403) {
    const says = `The server answers 403 before it has seen a token${client.userAgent ? ` (user agent ${client.userAgent})` : ''}.`;
    const fix =
      'A firewall or the server itself refuses the request: look for rules about user agents, addresses, Host and Origin.';
    return fault('network', says, fix, { first: response });
  }
  if (status >= 500) {
    const says = `The server answers ${status}.`;
    const responsible = status === 502 || status === 504 ? 'network' : 'mcp-server';
    return fault(responsible, says, 'The log of the server, or of the proxy in front of it, has the reason.');
  }
  const use = endpoint
    ? `Use ${endpoint}, which is one.`
    : 'Use the URL of the MCP endpoint, often with /mcp at its end.';
  if (isHtml(headers)) {
    const says = `The URL answers ${status} with a web page instead of MCP.`;
    return fault(endpoint ? 'user' : 'mcp-server', says, `${use} Or correct the proxy that sends the page.`);
  }
  if (status === 404 || status === 405) {
    const says = `The URL answers ${status} to a POST, and opens no stream to a GET: it is no MCP endpoint.`;
    return fault('user', says, use);
  }
  const says = `The server answers ${status} to a request without a token; clients expect 401. It says: ${body.slice(0, 200)}`;
  return fault(
    'mcp-server',
    says,
    'Check the token before anything else of the request, and answer 401 with WWW-Authenticate.',
  );
}

function judgeRedirect({ status, headers }: ProbeResponse, url: URL): Verdict {
  const to = URL.parse(headers.location ?? '', url.href);
  const says = `The URL answers ${status}, a redirect to ${to?.href ?? 'nowhere'}.`;
  if (to && to.host === url.host && withoutSlash(to) === withoutSlash(url))
    return fault('user', says, `Use ${to.href} in the client: a POST does not survive every redirect.`);
  const login =
    'Something in front of the server asks for a login in a browser. Let the MCP endpoint and /.well-known/ pass it.';
  return fault(
    'network',
    says,
    to && to.host === url.host && to.protocol === url.protocol
      ? login
      : `${login} If the server has moved, use its new URL.`,
  );
}

const withoutSlash = ({ pathname }: URL): string => pathname.replace(/\/$/, '');

export const isHtml = (headers: ProbeResponse['headers']): boolean =>
  /^(text\/html|application\/xhtml)/.test(headers['content-type'] ?? '');

const FAILURES: Readonly<Record<string, string>> = {
  TIMEOUT: 'The server or a firewall swallows the request. --timeout waits longer.',
  ECONNREFUSED: 'Nothing listens at this port: start the server, or correct the URL.',
  ECONNRESET: 'The connection was cut: does this port speak the protocol of the URL (http or https)?',
};
