/** Owns an issuer of opaque tokens for tests: metadata, keys and an introspection endpoint over real HTTP, whose answers a test chooses. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { serve, type TestServer } from '@mcp-oauth/shared/testing/listen';
import { SignJWT } from 'jose';
import type { ForeignServer } from './foreign.ts';
import { type SigningKey, signingKey } from './issuer.ts';

interface Question {
  readonly form: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}

/** An answer in JSON, or one that a test writes itself. */
type Answer = object | ((response: ServerResponse) => void);

export interface AskedIssuer extends TestServer {
  readonly key: SigningKey;
  /** In the order in which they arrived. */
  readonly questions: Question[];
  /** Answers by token; another token is not active. */
  readonly known: Map<string, Answer | Promise<Answer>>;
  metadata: Record<string, unknown>;
  /** Settings of a server that asks it. */
  readonly settings: Readonly<Record<string, string>>;
}

export const CLIENT = { id: 'tools server', secret: 'p:ss wörd' };

export async function startAskedIssuer(): Promise<AskedIssuer> {
  const key = await signingKey('key-1');
  const state = { questions: [] as Question[], known: new Map(), metadata: {} as Record<string, unknown> };
  const server = await serve(async (request, response) => {
    const documents: Record<string, object> = {
      '/.well-known/oauth-authorization-server': state.metadata,
      '/jwks': { keys: [key.publicJwk] },
    };
    if (request.url !== '/introspect') return json(response, documents[request.url ?? ''] ?? {});
    const form = new URLSearchParams(await text(request));
    state.questions.push({ form, headers: request.headers });
    const answer = await (state.known.get(form.get('token') ?? '') ?? { active: false });
    if (typeof answer === 'function') answer(response);
    else json(response, answer);
  });
  const { url } = server;
  state.metadata = { issuer: url, jwks_uri: `${url}/jwks`, introspection_endpoint: `${url}/introspect` };
  const settings = {
    ISSUER: url,
    INTROSPECTION: 'on',
    INTROSPECTION_CLIENT_ID: CLIENT.id,
    INTROSPECTION_CLIENT_SECRET: CLIENT.secret,
  };
  return Object.assign(state, { url, key, settings, close: server.close, [Symbol.asyncDispose]: server.close });
}

function json(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** RFC 9701 §5: exactly these claims and header members; `undefined` leaves one out. */
export async function signedAnswer(key: SigningKey, claims: object, header: object = {}): Promise<Answer> {
  const jwt = await new SignJWT(JSON.parse(JSON.stringify(claims)))
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: 'token-introspection+jwt', ...header })
    .sign(key.privateKey);
  return (response) =>
    void response.writeHead(200, { 'content-type': 'application/token-introspection+jwt; charset=utf-8' }).end(jwt);
}

/** The answer about a good token at this server. */
export const activeAnswer = (
  { url, clock }: Pick<ForeignServer, 'url' | 'clock'>,
  more: object = {},
): Record<string, unknown> => ({
  active: true,
  aud: `${url}/mcp`,
  sub: 'ada',
  client_id: 'desk',
  scope: 'mcp:tools',
  exp: clock.now() / 1000 + 600,
  ...more,
});
