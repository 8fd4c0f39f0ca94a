/**
 * Owns an authorization server in a test that does what some vendors do: it has no registration, one public client, does PKCE without
 * announcing it, and refuses `resource` where its options say so. People sign in at once.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { serve, type TestServer } from '@mcp-oauth/shared/testing/listen';
import { type SigningKey, signingKey, signToken } from '../../mcp-server/test/support/issuer.ts';

interface Options {
  /** The endpoint that refuses `resource`. */
  readonly refuses?: 'authorize' | 'token' | 'both';
  /** Whether authorization responses have `iss` (RFC 9207). */
  readonly sendsIss?: boolean;
  /** Whether the metadata says so. */
  readonly announcesIss?: boolean;
  /** What stands in `aud`. */
  readonly audience: string;
}

export const CLIENT_ID = 'mcp-client';

type Form = Readonly<Record<string, string>>;

export class StrictIssuer implements AsyncDisposable {
  /** The parameters of each authorization request. */
  readonly asked: URLSearchParams[] = [];
  /** The form of each token request. */
  readonly redeemed: Form[] = [];
  readonly #redirectUris: readonly string[];
  readonly #options: Options;
  readonly #key: SigningKey;
  readonly #codes = new Map<string, Form>();
  #server: TestServer | undefined;

  private constructor(redirectUris: readonly string[], options: Options, key: SigningKey) {
    this.#redirectUris = redirectUris;
    this.#options = options;
    this.#key = key;
  }

  /** @param redirectUris each exactly, or with any port if it has none and is on loopback */
  static async start(redirectUris: readonly string[], options: Options): Promise<StrictIssuer> {
    const issuer = new StrictIssuer(redirectUris, options, await signingKey('key-1', 'RS256'));
    issuer.#server = await serve((request, response) => void issuer.#answer(request, response));
    return issuer;
  }

  get url(): string {
    return this.#server?.url ?? '';
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', this.url);
    const json = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json', 'access-control-allow-origin': '*' });
      response.end(JSON.stringify(body));
    };
    if (pathname === '/.well-known/openid-configuration') return json(200, this.#metadata());
    if (pathname === '/jwks') return json(200, { keys: [this.#key.publicJwk] });
    if (pathname === '/token' && request.method === 'OPTIONS') return json(200, {});
    if (pathname === '/token') return this.#redeem(await formOf(request), json);
    if (pathname === '/authorize') return this.#authorize(searchParams, response);
    return json(404, {});
  }

  #metadata(): object {
    return {
      issuer: this.url,
      authorization_endpoint: `${this.url}/authorize`,
      token_endpoint: `${this.url}/token`,
      jwks_uri: `${this.url}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
      ...(this.#options.announcesIss && { authorization_response_iss_parameter_supported: true }),
    };
  }

  #authorize(parameters: URLSearchParams, response: ServerResponse): void {
    this.asked.push(parameters);
    const { client_id: client, redirect_uri: uri = '', state = '', ...rest } = Object.fromEntries(parameters);
    const refused =
      (client !== CLIENT_ID && 'client_id') ||
      (!this.#redirectUris.some((known) => known === uri || known === uri.replace(/:\d+(?=\/)/, '')) &&
        'redirect_uri') ||
      (rest.code_challenge_method !== 'S256' && 'code_challenge_method') ||
      (parameters.has('resource') && /authorize|both/.test(this.#options.refuses ?? '') && 'resource');
    if (refused) {
      response.writeHead(400).end(`The request parameter '${refused}' is not supported.`);
      return;
    }
    const code = randomUUID();
    this.#codes.set(code, { uri, challenge: rest.code_challenge ?? '', scope: rest.scope ?? '' });
    const target = new URL(uri);
    const answer = { code, state, ...(this.#options.sendsIss && { iss: this.url }) };
    for (const [name, value] of Object.entries(answer)) target.searchParams.set(name, value);
    response.writeHead(302, { location: target.href }).end();
  }

  async #redeem(form: Form, json: (status: number, body: object) => void): Promise<void> {
    this.redeemed.push(form);
    const { code = '', client_id: client, redirect_uri: uri, code_verifier: verifier = '', resource } = form;
    const found = this.#codes.get(code);
    this.#codes.delete(code);
    if (resource !== undefined && /token|both/.test(this.#options.refuses ?? ''))
      return json(400, { error: 'invalid_request', error_description: "The parameter 'resource' is not supported." });
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    if (!found || client !== CLIENT_ID || uri !== found.uri || challenge !== found.challenge)
      return json(400, { error: 'invalid_grant' });
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: this.url,
      aud: this.#options.audience,
      sub: 'alice',
      client_id: client,
      scope: found.scope,
      iat: now,
      exp: now + 600,
    };
    const token = await signToken({ key: this.#key, claims });
    return json(200, { access_token: token, token_type: 'Bearer', expires_in: 600, scope: found.scope });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.close();
  }
}

async function formOf(request: IncomingMessage): Promise<Form> {
  let text = '';
  for await (const part of request) text += part;
  return Object.fromEntries(new URLSearchParams(text));
}
