/**
 * Owns the requests to GitHub: the code is redeemed (RFC 6749 §4.1.3), and its REST API is read page by page, up to a bound. An error
 * may come with HTTP 200.
 */
import { z } from 'zod';
import { refusalOf } from '../../federation/answer.ts';
import { UpstreamError } from '../../federation/connector.ts';

const AGENT = 'mcp-oauth-server';
const members = z.looseObject({});

export interface TokenAnswer {
  readonly accessToken: string;
  readonly refreshToken?: string | undefined;
  /** Seconds. Absent: the access token does not expire. */
  readonly lifetime?: number | undefined;
  /** Absent: the token is of a GitHub App, which has permissions and no scopes. */
  readonly scopes?: readonly string[] | undefined;
}

/** Redeems a code or a refresh token. */
export async function redeem(
  fetch: typeof globalThis.fetch,
  baseUrl: string,
  form: Record<string, string>,
): Promise<TokenAnswer> {
  const response = await fetch(`${baseUrl}/login/oauth/access_token`, {
    method: 'POST',
    headers: { Accept: 'application/json', 'User-Agent': AGENT },
    body: new URLSearchParams(form),
  });
  const { status } = response;
  const body = await parse(response, members);
  const refusal = refusalOf(body, status);
  if (refusal) throw refusal;
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: lifetime, scope } = body;
  if (response.ok && isText(accessToken)) {
    return {
      accessToken,
      refreshToken: isText(refreshToken) ? refreshToken : undefined,
      lifetime: typeof lifetime === 'number' && lifetime > 0 ? lifetime : undefined,
      scopes: isText(scope) ? scope.split(/[\s,]+/).filter(Boolean) : undefined,
    };
  }
  throw new UpstreamError('invalid_answer', `GitHub answered ${status} without an access token`, {
    claim: 'access_token',
    status,
  });
}

interface App {
  readonly apiUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** GitHub REST API, "Delete an app token": this token alone, so a sign-in with the same app goes on. */
export async function endToken(fetch: typeof globalThis.fetch, app: App, token: string): Promise<void> {
  const place = `${app.apiUrl}/applications/${encodeURIComponent(app.clientId)}/token`;
  const response = await fetch(place, {
    method: 'DELETE',
    headers: {
      Accept: 'application/vnd.github+json',
      'Content-Type': 'application/json',
      'User-Agent': AGENT,
      Authorization: `Basic ${Buffer.from(`${app.clientId}:${app.clientSecret}`).toString('base64')}`,
    },
    body: JSON.stringify({ access_token: token }),
  });
  // 404 and 422: GitHub does not know the token any more.
  if (!response.ok && response.status !== 404 && response.status !== 422) throw await failure(response, place);
}

/** GitHub REST API, "Get the authenticated user": any token that is good may ask it, and 401 "Bad credentials" is about no other. */
export async function isAccepted(fetch: typeof globalThis.fetch, apiUrl: string, token: string): Promise<boolean> {
  try {
    await createApi(fetch, apiUrl, token).read('/user', members);
    return true;
  } catch (error) {
    if (error instanceof UpstreamError && error.facts.status === 401) return false;
    throw error;
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** What GitHub lists. */
export interface Listed {
  readonly entries: readonly unknown[];
  /** Why entries are missing. */
  readonly incomplete?: string | undefined;
}

export interface GithubApi {
  read<T>(path: string, shape: z.ZodType<T>): Promise<T>;
  list(path: string): Promise<Listed>;
}

const PAGE_SIZE = 100;
/** A person with more than 1 000 addresses, organisations or teams is treated as somebody whose list is not complete. */
const MOST_PAGES = 10;

export function createApi(fetch: typeof globalThis.fetch, apiUrl: string, token: string): GithubApi {
  const ask = async (path: string): Promise<Response> => {
    const response = await fetch(apiUrl + path, {
      headers: { Accept: 'application/vnd.github+json', 'User-Agent': AGENT, Authorization: `Bearer ${token}` },
    });
    if (!response.ok) throw await failure(response, apiUrl + path.replace(/\?.*/, ''));
    return response;
  };
  return {
    read: async (path, shape) => parse(await ask(path), shape),
    list: async (path) => {
      const entries: unknown[] = [];
      let incomplete: string | undefined;
      for (let page = 1; page <= MOST_PAGES; page += 1) {
        const response = await ask(`${path}?per_page=${PAGE_SIZE}&page=${page}`);
        entries.push(...(await parse(response, z.array(z.unknown()))));
        incomplete ??= hiddenBySingleSignOn(response.headers);
        // GitHub REST API, "Using pagination": the header names a next page as long as there is one.
        if (!/\brel="?next\b/.test(response.headers.get('link') ?? '')) return { entries, incomplete };
      }
      return { entries, incomplete: `GitHub lists more than ${MOST_PAGES * PAGE_SIZE}` };
    },
  };
}

/** GitHub leaves out organisations that require single sign-on, unless the person authorized this app there. */
function hiddenBySingleSignOn(headers: Headers): string | undefined {
  const said = headers.get('x-github-sso') ?? '';
  if (!said.startsWith('partial-results')) return undefined;
  const ids = (/organizations=([\d, ]{1,200})/.exec(said)?.[1] ?? '').split(',').map((id) => id.trim());
  return `GitHub hides organisations that require single sign-on and did not authorize this app (ids ${ids.join(', ') || 'unknown'})`;
}

async function failure(response: Response, place: string): Promise<UpstreamError> {
  const { status, headers } = response;
  const { message } = await parse(response, members).catch((): { message?: unknown } => ({}));
  // GitHub answers a rate limit with 403; any other 403 is about the person or the app.
  const isLimited = status === 403 && (headers.get('x-ratelimit-remaining') === '0' || headers.has('retry-after'));
  return new UpstreamError(isLimited ? 'unavailable' : 'invalid_answer', `${place} answered ${status}`, {
    status,
    upstreamDescription: typeof message === 'string' ? message : undefined,
  });
}

async function parse<T>(response: Response, shape: z.ZodType<T>): Promise<T> {
  const body: unknown = await response.json().catch(() => undefined);
  const parsed = shape.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const claim = issue?.path.join('.') || undefined;
  const found =
    claim && typeof body === 'object' && body !== null ? (Reflect.get(body, claim) ?? 'nothing') : typeof body;
  throw new UpstreamError('invalid_answer', `GitHub sent an unexpected answer: ${issue?.message}`, {
    status: response.status,
    claim,
    found,
  });
}
