/**
 * Owns the stage of the tests of upstreams: an issuer whose token endpoint exchanges tokens as auth-server does, an API with the
 * accounts of people, and the composed server between them.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { createLogger } from '@mcp-oauth/shared/logger';
import type { Service } from '@mcp-oauth/shared/service';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { serve } from '@mcp-oauth/shared/testing/listen';
import { createLocalJWKSet, decodeJwt, type JWTPayload, jwtVerify } from 'jose';
import { compose, type Overrides } from '../../src/compose/compose.ts';
import { newKey } from '../../src/upstream/own-key.ts';
import { type SigningKey, signingKey, signToken, startIssuer, type TestIssuer } from '../support/issuer.ts';

/** What the token endpoint was asked. */
export interface Asked {
  readonly form: Readonly<Record<string, string>>;
  /** Claims of the assertion that authenticated the client; its signature was verified. */
  readonly client: JWTPayload;
  readonly dpop: string | undefined;
}

/** What the API was asked. */
export interface Called {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called with the answer, which the test then ends itself. */
  readonly begun?: (res: ServerResponse) => void;
}

export interface Stage extends AsyncDisposable {
  readonly url: string;
  readonly issuer: TestIssuer;
  readonly api: { readonly url: string };
  readonly clock: FakeClock;
  readonly key: SigningKey;
  /** The upstream's token of each person who has connected an account. */
  readonly accounts: Map<string, string>;
  readonly asked: Asked[];
  readonly called: Called[];
  /** The connections by which the API was called. */
  readonly sockets: Set<object>;
  /** Answers of the API by path; others are 404. */
  readonly paths: Map<string, (called: Called) => Answer>;
  /** Replaces what the token endpoint answers; nothing: as auth-server does. */
  answer: ((asked: Asked) => Answer | undefined) | undefined;
  readonly metrics: Service['metrics'];
  /** The server is told to stop. */
  drain(): void;
  /** Lines of the log of the server, as text. */
  readonly log: string[];
  token(subject?: string, more?: Record<string, unknown>): Promise<string>;
}

/** Nothing of it may be in a log or reach a client. */
export const SECRETS = {
  ofAda: 'gho_canary_of_ada',
  renewed: 'gho_canary_renewed',
  ofBob: 'gho_canary_of_bob',
} as const;

export const digestOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

export async function startStage(
  settings: Readonly<Record<string, string>> = {},
  overrides: Overrides = {},
): Promise<Stage> {
  let handler: RequestListener = () => {};
  const server = await serve((request, response) => handler(request, response));
  const [issuer, key, clock] = [await startIssuer(), await signingKey('key-1'), new FakeClock()];
  issuer.keys.push(key.publicJwk);
  issuer.metadata.dpop_signing_alg_values_supported = ['ES256'];
  const state = {
    accounts: new Map<string, string>([['ada', SECRETS.ofAda]]),
    asked: [] as Asked[],
    called: [] as Called[],
    paths: new Map<string, (called: Called) => Answer>(),
    answer: undefined as Stage['answer'],
    log: [] as string[],
    sockets: new Set<object>(),
  };
  const api = await serve((req, res) => {
    state.sockets.add(req.socket);
    void answerCall(req, res, state);
  });
  issuer.routes.set('/token', (req, res) => void answerExchange(req, res));
  const env = {
    PUBLIC_URL: server.url,
    ISSUER: issuer.url,
    NODE_ENV: 'test',
    UPSTREAMS: 'github',
    UPSTREAM_GITHUB_URL: api.url,
    EXCHANGE_KEY: JSON.stringify(await newKey()),
    ...settings,
  };
  const log = createLogger('test', 'debug', { write: (line: string) => void state.log.push(line) });
  const service = await compose(env, { clock, log, ...overrides });
  handler = service.handler;

  async function answerExchange(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const form = Object.fromEntries(new URLSearchParams(await text(req)));
    const keys = await documentAt(stage, '/.well-known/jwks.json');
    const { client_assertion: assertion = '' } = form;
    const verified = await jwtVerify(assertion, createLocalJWKSet(keys), {
      audience: issuer.url,
      currentDate: new Date(clock.now()),
    });
    const { dpop } = req.headers;
    const asked = { form, client: verified.payload, dpop: typeof dpop === 'string' ? dpop : undefined };
    state.asked.push(asked);
    write(res, stage.answer?.(asked) ?? exchanged(asked, state.accounts, issuer.url));
  }

  const stage: Stage = Object.assign(state, {
    ...{ url: server.url, issuer, api, clock, key, metrics: service.metrics },
    drain: () => service.drain(),
    token: (subject = 'ada', more = {}) => {
      const now = clock.now() / 1000;
      const about = { iss: issuer.url, aud: `${server.url}/mcp`, sub: subject, client_id: 'desk', scope: 'mcp:tools' };
      return signToken({ key, claims: { ...about, iat: now, exp: now + 3600, ...more } });
    },
    [Symbol.asyncDispose]: async () => {
      service.drain();
      await server.close();
      await service.close();
      await Promise.all([issuer.close(), api.close()]);
    },
  });
  return stage;
}

/** As auth-server answers for a connector. */
function exchanged({ form }: Asked, accounts: ReadonlyMap<string, string>, issuer: string): Answer {
  const { sub = '' } = decodeJwt(form.subject_token ?? '');
  const token = accounts.get(sub);
  if (form.interaction === 'declined') return { status: 400, body: { error: 'access_denied' } };
  if (token === undefined || digestOf(token) === form.rejected_token) {
    const page = { interaction_uri: `${issuer}/connect/handle-of-a-link`, interaction_expires_in: 600 };
    const scope = { interaction_scope: `upstream:${form.audience}` };
    return { status: 400, body: { error: 'interaction_required', ...scope, ...(form.interaction !== 'none' && page) } };
  }
  const issued_token_type = 'urn:ietf:params:oauth:token-type:access_token';
  return {
    status: 200,
    body: { access_token: token, issued_token_type, token_type: 'Bearer', scope: 'read:user repo' },
  };
}

async function answerCall(
  req: IncomingMessage,
  res: ServerResponse,
  { called, paths }: Pick<Stage, 'called' | 'paths'>,
): Promise<void> {
  const { method = '', url = '', headers } = req;
  const call = { method, url, headers, body: await text(req) };
  called.push(call);
  const [path = ''] = url.split('?');
  write(res, paths.get(path)?.(call) ?? { status: 404 });
}

function write(res: ServerResponse, { status, body = {}, headers = {}, begun }: Answer): void {
  if (begun) {
    begun(res);
    return;
  }
  res.writeHead(status, { 'content-type': 'application/json', ...headers });
  res.end(typeof body === 'string' ? body : JSON.stringify(body));
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into documents of every shape
export const documentAt = async ({ url }: Stage, path: string): Promise<any> => (await fetch(url + path)).json();

/** The account of whoever has the token, as GitHub shows it. */
export const profileOf =
  (logins: Readonly<Record<string, string>>) =>
  ({ headers: { authorization = '' } }: Called): Answer => {
    const login = logins[authorization.replace(/^Bearer /, '')];
    if (login === undefined) return { status: 401, body: { message: 'Bad credentials' } };
    return { status: 200, body: { login, name: login, html_url: `https://github.com/${login}`, public_repos: 2 } };
  };

export const LOGINS = {
  [SECRETS.ofAda]: 'ada-at-github',
  [SECRETS.renewed]: 'ada-at-github',
  [SECRETS.ofBob]: 'bob-at-github',
};
