/**
 * Owns sign-in with GitHub and GitHub Enterprise, which speak plain OAuth 2.0 (RFC 6749 §4.1): a numeric id instead of a
 * subject, e-mail addresses in a list of their own, and errors that come with HTTP 200.
 */
import { createHash } from 'node:crypto';
import { setting, type Values } from '@mcp-oauth/shared/settings/config';
import { duration, isLoopback, text, url } from '@mcp-oauth/shared/settings/types';
import { z } from 'zod';
import { type ConnectorContext, defineConnector, type LoginChecks, UpstreamError } from '../federation/connector.ts';
import { createUpstreamFetch } from '../federation/upstream-fetch.ts';

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
    doc: 'Where GitHub is; for GitHub Enterprise Server its own URL. It is the issuer of the people who sign in.',
    type: url(),
    default: 'https://github.com',
  }),
  apiUrl: setting({
    env: 'API_URL',
    doc: 'Where its REST API is; for GitHub Enterprise Server the URL that ends in /api/v3.',
    type: url(),
    default: 'https://api.github.com',
  }),
  timeout: setting({
    env: 'TIMEOUT',
    doc: 'How long GitHub may take for one answer.',
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
        const code = readAnswer(answer, values, checks);
        const token = await redeem({ code, codeVerifier: checks.codeVerifier, values, context, fetch });
        const read = reader(fetch, token);
        const person = await read(`${values.apiUrl}/user`, user);
        // For show only: a token without the e-mail scope, or GitHub being slow here, stops nobody.
        const addresses = await read(`${values.apiUrl}/user/emails`, emails).catch(() => []);
        return {
          issuer: values.baseUrl,
          subject: String(person.id),
          name: person.name || undefined,
          username: person.login,
          email: addresses.find(({ primary, verified }) => primary && verified)?.email,
        };
      },
    };
  },
});

const user = z.object({ id: z.int().positive(), login: z.string(), name: z.string().nullish() });
const emails = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }));
const tokenAnswer = z.object({ access_token: z.string().min(1).optional(), error: z.string().optional() });

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

function readAnswer({ searchParams }: URL, { baseUrl }: GithubSettings, { state }: LoginChecks): string {
  if (searchParams.get('state') !== state) throw new UpstreamError('invalid_answer', 'the state is not ours');
  // RFC 9207 §2.4; GitHub does not promise `iss`, but an answer that names somebody else is a mix-up.
  const issuer = searchParams.get('iss');
  if (issuer !== null && URL.parse(issuer)?.origin !== new URL(baseUrl).origin) {
    throw new UpstreamError('invalid_answer', 'the answer names another issuer');
  }
  const error = searchParams.get('error');
  if (error !== null) {
    const busy = error === 'temporarily_unavailable' || error === 'server_error';
    throw new UpstreamError(busy ? 'unavailable' : 'denied', `GitHub answered ${error}`);
  }
  const code = searchParams.get('code');
  if (!code) throw new UpstreamError('invalid_answer', 'the answer has no code');
  return code;
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
    redirect: 'error',
    body: new URLSearchParams({
      client_id: values.clientId,
      client_secret: values.clientSecret,
      redirect_uri: context.callbackUrl,
      code,
      code_verifier: codeVerifier,
    }),
  });
  const { access_token, error } = await parse(response, tokenAnswer);
  if (error === 'incorrect_client_credentials') {
    throw new UpstreamError('unavailable', `GitHub refused this server's credentials`);
  }
  if (error !== undefined) throw new UpstreamError('invalid_answer', `GitHub answered ${error} for the code`);
  if (!response.ok || access_token === undefined) {
    throw new UpstreamError('invalid_answer', `GitHub answered ${response.status} without an access token`);
  }
  return access_token;
}

const AGENT = 'mcp-oauth-server';

const reader =
  (fetch: typeof globalThis.fetch, token: string) =>
  async <T>(place: string, shape: z.ZodType<T>): Promise<T> => {
    const response = await fetch(place, {
      headers: { Accept: 'application/vnd.github+json', 'User-Agent': AGENT, Authorization: `Bearer ${token}` },
      redirect: 'error',
    });
    if (!response.ok) throw new UpstreamError('invalid_answer', `${place} answered ${response.status}`);
    return parse(response, shape);
  };

async function parse<T>(response: Response, shape: z.ZodType<T>): Promise<T> {
  const body: unknown = await response.json().catch(() => undefined);
  const parsed = shape.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new UpstreamError(
    'invalid_answer',
    `GitHub sent something else than expected: ${z.prettifyError(parsed.error)}`,
  );
}
