/**
 * Owns the trial of a connection to an identity provider, as far as it gets without a person: its metadata, the authorization request
 * up to its login page, and the client credentials.
 */
import { randomBytes } from 'node:crypto';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { type LoginChecks, UpstreamError } from '../../federation/connector.ts';
import type { OpenConnector } from '../../federation/registry.ts';

export interface Finding {
  readonly what: string;
  readonly isGood: boolean;
  readonly detail: string;
}

const secret = (): string => randomBytes(32).toString('base64url');

/** @param fetch without redirects being followed */
export async function tryConnection(
  { connector, callbackUrl }: OpenConnector,
  fetch: Fetch,
): Promise<readonly Finding[]> {
  const checks: LoginChecks = { state: secret(), nonce: secret(), codeVerifier: secret() };
  let request: URL;
  try {
    request = await connector.begin(checks);
  } catch (error) {
    return [bad('the provider is found', messageOf(error))];
  }
  const found = good(
    'the provider is found',
    `it takes authorization requests at ${request.origin}${request.pathname}`,
  );
  const login = await loginPage(request, callbackUrl, fetch).catch((error: unknown) =>
    bad('its login page opens', messageOf(error)),
  );
  return [found, login, await credentials(connector, callbackUrl, checks)];
}

const good = (what: string, detail: string): Finding => ({ what, isGood: true, detail });
const bad = (what: string, detail: string): Finding => ({ what, isGood: false, detail });
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const MOST_HOPS = 15;
const MOST_TEXT = 1_000_000;
/** Milliseconds for one answer. */
const PATIENCE = 15_000;
/** What providers write on a page of status 200 that refuses the request. */
const REFUSED =
  /AADSTS\d+.{0,200}|redirect_uri.{0,40}(?:mismatch|\bnot\b|\binvalid)|Error 400: \w+|Invalid parameter: \w+/i;

/** Follows the request as a browser does, to the first page. */
async function loginPage(request: URL, callbackUrl: string, fetch: Fetch): Promise<Finding> {
  const what = 'its login page opens';
  const cookies = new Map<string, string>();
  let target = request;
  for (let hop = 0; hop < MOST_HOPS; hop++) {
    if (target.href.startsWith(callbackUrl)) return bad(what, `it answered ${errorIn(target)} without a login page`);
    const response = await visit(target, fetch, cookies);
    const location = response.headers.get('location');
    const next = location === null ? null : URL.parse(location, target.href);
    if (response.status >= 300 && response.status < 400 && next) {
      if (/error/i.test(next.pathname) && next.origin === target.origin)
        return bad(what, `it leads to an error page: ${next.origin}${next.pathname}`);
      target = next;
      continue;
    }
    const where = `${target.origin}${target.pathname}`;
    const refused = refusalOn((await response.text()).slice(0, MOST_TEXT));
    if (response.status >= 400 || refused) {
      return bad(
        what,
        `${where} answered ${response.status}${refused ? `: ${refused}` : ''}. Is ${callbackUrl} registered there as a redirect URI?`,
      );
    }
    return good(what, where);
  }
  return bad(what, `more than ${MOST_HOPS} redirects`);
}

async function visit(target: URL, fetch: Fetch, cookies: Map<string, string>): Promise<Response> {
  const own = [...cookies].filter(([key]) => key.startsWith(`${target.host} `)).map(([, cookie]) => cookie);
  const headers = { accept: 'text/html', ...(own.length > 0 && { cookie: own.join('; ') }) };
  const response = await fetch(target.href, { headers, redirect: 'manual', signal: AbortSignal.timeout(PATIENCE) });
  for (const line of response.headers.getSetCookie()) {
    const [pair = ''] = line.split(';');
    cookies.set(`${target.host} ${pair.split('=')[0]}`, pair);
  }
  return response;
}

/** Only what a person would read: addresses in the page repeat our redirect URI, and scripts know every error. */
function refusalOn(page: string): string | undefined {
  // Microsoft Entra shows its error by a script.
  const [, entra] = /"strServiceExceptionMessage":"((?:[^"\\]|\\.){1,300})/.exec(page) ?? [];
  const text = page.replace(/<(script|style)\b[\s\S]*?<\/\1\s*>/gi, ' ').replace(/<[^>]*>/g, ' ');
  return entra ?? REFUSED.exec(text.replace(/\s+/g, ' '))?.[0];
}

function errorIn({ searchParams }: URL): string {
  const description = searchParams.get('error_description');
  return [searchParams.get('error') ?? 'nothing', description].filter(Boolean).join(': ');
}

const WHAT = 'it accepts the client id and secret';

/** A made-up code is refused in any case: the error says whether the credentials were accepted before (RFC 6749 §5.2). */
async function credentials(
  connector: OpenConnector['connector'],
  callbackUrl: string,
  checks: LoginChecks,
  iss?: string,
): Promise<Finding> {
  const answer = new URL(callbackUrl);
  answer.search = new URLSearchParams({ code: secret(), state: checks.state, ...(iss && { iss }) }).toString();
  try {
    await connector.finish(answer, checks);
    return bad(WHAT, 'it accepted a made-up code');
  } catch (error) {
    if (!(error instanceof UpstreamError)) return bad(WHAT, messageOf(error));
    const { upstreamError, upstreamDescription, claim, expected } = error.facts;
    if (ABOUT_THE_CODE.has(upstreamError ?? '')) return good(WHAT, `it refused the made-up code with ${upstreamError}`);
    // RFC 9207 §2.4: the provider names itself in each answer, so the made-up one has to do the same.
    if (claim === 'iss' && iss === undefined && typeof expected === 'string')
      return credentials(connector, callbackUrl, checks, expected);
    return bad(WHAT, [error.message, upstreamDescription].filter(Boolean).join(': '));
  }
}

/** RFC 6749 §5.2, and GitHub's name for it. */
const ABOUT_THE_CODE: ReadonlySet<string> = new Set(['invalid_grant', 'bad_verification_code']);
