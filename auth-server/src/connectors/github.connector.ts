/**
 * Owns sign-in with GitHub and GitHub Enterprise, which speak plain OAuth 2.0 (RFC 6749 §4.1): a numeric id instead of a
 * subject, e-mail addresses at a separate endpoint, and errors with HTTP 200.
 */
import { createHash } from 'node:crypto';
import { isLoopback } from '@mcp-oauth/shared/network/internal-host';
import { setting, type Values } from '@mcp-oauth/shared/settings/config';
import { duration, text, url } from '@mcp-oauth/shared/settings/types';
import { z } from 'zod';
import { readAnswer, refusalOf } from '../federation/answer.ts';
import { type ConnectorContext, defineConnector, type LoginChecks, UpstreamError } from '../federation/connector.ts';
import { label } from '../federation/subject.ts';
import { createUpstreamFetch } from '../federation/upstream/upstream-fetch.ts';

const settings = {
  clientId: setting({ env: 'CLIENT_ID', doc: 'Client id of the OAuth app at GitHub.', type: text() }),
  clientSecret: setting({
    env: 'CLIENT_SECRET',
    doc: 'Client secret of the OAuth app at GitHub.',
    type: text(),
    secret: true,
  }),
  baseUrl: setting({
    env: 'BASE_URL',
    doc: 'URL of GitHub, or of GitHub Enterprise Server. It is the issuer in the identity of the people who sign in.',
    type: url(),
    default: 'https://github.com',
  }),
  apiUrl: setting({
    env: 'API_URL',
    doc: 'URL of its REST API; for GitHub Enterprise Server the URL that ends in /api/v3.',
    type: url(),
    default: 'https://api.github.com',
  }),
  timeout: setting({
    env: 'TIMEOUT',
    doc: 'Maximum time that GitHub may take for one answer.',
    type: duration(1, 60),
    default: '10s',
  }),
};
type GithubSettings = Values<typeof settings>;

export default defineConnector({
  type: 'github',
  title: 'GitHub',
  settings,
  rules: ({ baseUrl, apiUrl }) =>
    Object.entries({ BASE_URL: baseUrl, API_URL: apiUrl })
      .filter(([, place]) => place.startsWith('http:') && !isLoopback(place))
      .map(([env, place]) => ({ env, message: `must use https unless it is on this machine (got "${place}")` })),
  open: (values, context) => {
    const fetch = createUpstreamFetch(context.fetch, values.timeout);
    return {
      begin: async (checks) => authorizeUrl(values, context, checks),
      finish: async (answer, checks) => {
        const { code } = readAnswer(answer, {
          state: checks.state,
          issuer: values.baseUrl,
          // RFC 9207 §2.4; GitHub does not announce `iss`, but an answer with another issuer is a mix-up.
          isIssuer: (issuer) => URL.parse(issuer)?.origin === new URL(values.baseUrl).origin,
        });
        const token = await redeem({ code, codeVerifier: checks.codeVerifier, values, context, fetch });
        const read = reader(fetch, token);
        const person = await read(`${values.apiUrl}/user`, user);
        // For display only: a token without the e-mail scope, or a slow answer, must not prevent the sign-in.
        const addresses = await read(`${values.apiUrl}/user/emails`, z.array(z.unknown())).catch(() => []);
        const identity = {
          issuer: values.baseUrl,
          subject: String(person.id),
          name: label(person.name),
          username: label(person.login),
          email: label(addresses.map((entry) => address.safeParse(entry).data).find((found) => found)?.email),
        };
        return { identity };
      },
    };
  },
});

/** Only the id identifies: it must be an integer that JSON represents without loss. */
const user = z.object({ id: z.int().positive(), login: z.unknown().optional(), name: z.unknown().optional() });
/** The only address of the list that is used. */
const address = z.object({ email: z.string(), primary: z.literal(true), verified: z.literal(true) });
const members = z.looseObject({});

function authorizeUrl({ baseUrl, clientId }: GithubSettings, context: ConnectorContext, checks: LoginChecks): URL {
  const target = new URL(`${baseUrl}/login/oauth/authorize`);
  target.search = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: context.callbackUrl,
    scope: 'read:user user:email',
    state: checks.state,
    code_challenge: createHash('sha256').update(checks.codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();
  return target;
}

interface Redemption {
  readonly code: string;
  readonly codeVerifier: string;
  readonly values: GithubSettings;
  readonly context: ConnectorContext;
  readonly fetch: typeof globalThis.fetch;
}

async function redeem({ code, codeVerifier, values, context, fetch }: Redemption): Promise<string> {
  const response = await fetch(`${values.baseUrl}/login/oauth/access_token`, {
    method: 'POST',
    headers: { Accept: 'application/json', 'User-Agent': AGENT },
    body: new URLSearchParams({
      client_id: values.clientId,
      client_secret: values.clientSecret,
      redirect_uri: context.callbackUrl,
      code,
      code_verifier: codeVerifier,
    }),
  });
  const { status } = response;
  const body = await parse(response, members);
  const refusal = refusalOf(body, status);
  if (refusal) throw refusal;
  const { access_token: token } = body;
  if (response.ok && typeof token === 'string' && token !== '') return token;
  throw new UpstreamError('invalid_answer', `GitHub answered ${status} without an access token`, {
    claim: 'access_token',
    status,
  });
}

const AGENT = 'mcp-oauth-server';

const reader =
  (fetch: typeof globalThis.fetch, token: string) =>
  async <T>(place: string, shape: z.ZodType<T>): Promise<T> => {
    const response = await fetch(place, {
      headers: { Accept: 'application/vnd.github+json', 'User-Agent': AGENT, Authorization: `Bearer ${token}` },
    });
    const { status, headers } = response;
    if (response.ok) return parse(response, shape);
    const { message } = await parse(response, members).catch((): { message?: unknown } => ({}));
    // GitHub answers a rate limit with 403; any other 403 is about the person or the app.
    const isLimited = status === 403 && headers.get('x-ratelimit-remaining') === '0';
    throw new UpstreamError(isLimited ? 'unavailable' : 'invalid_answer', `${place} answered ${status}`, {
      status,
      upstreamDescription: typeof message === 'string' ? message : undefined,
    });
  };

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
