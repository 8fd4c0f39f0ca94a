/** Owns an OAuth client in a test: registration, a PKCE pair, authorization requests and token requests. */
import { createHash } from 'node:crypto';
import { Browser } from './browser.ts';
import { form, json, type RunningServer, read } from './running-server.ts';

export const VERIFIER = 'a-code-verifier-that-is-long-enough-for-rfc-7636-4.1';
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');
export const WEB = 'https://app.example/callback';
export const NATIVE = 'http://127.0.0.1/callback';

type Parameters = Readonly<Record<string, string | undefined>>;

export interface TestClient {
  readonly id: string;
  readonly redirectUri: string;
}

export async function register(server: RunningServer, redirectUri = WEB, metadata: object = {}): Promise<TestClient> {
  const response = await server.fetch(
    '/register',
    json({ redirect_uris: [redirectUri], client_name: 'App', token_endpoint_auth_method: 'none', ...metadata }),
  );
  if (response.status !== 201) throw new Error(`not registered: ${await response.text()}`);
  return { id: String((await read(response)).client_id), redirectUri };
}

const defined = (parameters: Parameters) =>
  Object.fromEntries(Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined));

/** The path of an authorization request; `undefined` leaves a parameter out. */
export const authorizePath = ({ id, redirectUri }: TestClient, parameters: Parameters = {}): string =>
  `/authorize?${new URLSearchParams(
    defined({
      client_id: id,
      redirect_uri: redirectUri,
      response_type: 'code',
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
      state: 'the-state',
      ...parameters,
    }),
  )}`;

export interface Authorized {
  readonly code: string;
  readonly answer: URL;
}

export interface Visitor {
  readonly person?: string;
  readonly browser?: Browser;
}

/** Gets a code for a person: through the pages, or at once where no page is shown. */
export async function authorize(
  server: RunningServer,
  client: TestClient,
  parameters: Parameters = {},
  { person = 'alice', browser = new Browser(server) }: Visitor = {},
): Promise<Authorized> {
  const { page, outside } = await browser.follow(authorizePath(client, parameters));
  const answer = outside ?? (await browser.signIn(page, person)).outside;
  if (!answer) throw new Error('the browser did not come back to the client');
  return { code: answer.searchParams.get('code') ?? '', answer };
}

export const redeem = (server: RunningServer, client: TestClient, code: string, parameters: Parameters = {}) =>
  server.fetch(
    '/token',
    form(
      defined({
        grant_type: 'authorization_code',
        client_id: client.id,
        redirect_uri: client.redirectUri,
        code_verifier: VERIFIER,
        code,
        ...parameters,
      }),
    ),
  );

export const refresh = (server: RunningServer, client: TestClient, token: unknown, parameters: Parameters = {}) =>
  server.fetch(
    '/token',
    form(defined({ grant_type: 'refresh_token', client_id: client.id, refresh_token: String(token), ...parameters })),
  );

/** Sign-in, code and tokens in one call. */
export async function tokensFor(server: RunningServer, client: TestClient, parameters: Parameters = {}) {
  const { code } = await authorize(server, client, parameters);
  return read(await redeem(server, client, code, { resource: parameters.resource }));
}
