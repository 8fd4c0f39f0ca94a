/** Owns a small identity provider (OpenID Connect) that makes ID-JAGs of ID tokens, and answers as a test says. */
import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag';

export interface IdentityProvider extends AsyncDisposable {
  readonly issuer: string;
  readonly forms: {
    readonly path: string;
    readonly fields: Readonly<Record<string, string>>;
    readonly authorization?: string;
  }[];
  /** Errors that the next token exchanges get. */
  readonly refusals: { readonly error: string; readonly error_description?: string }[];
  /** Seconds from now to the end of the next ID tokens. */
  lifetime: number;
  /** Whom the next ID tokens are for. */
  audience: string;
  /** Whether refresh tokens are still good. */
  isOpen: boolean;
  /** Members of its metadata that are replaced. */
  metadata: Readonly<Record<string, unknown>>;
  /** Members of the answer to a token exchange that are replaced. */
  exchanged: Readonly<Record<string, unknown>>;
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Without a valid signature: only the identity provider itself reads it. */
const jwt = (payload: object): string =>
  `${part({ alg: 'RS256' })}.${part(payload)}.${createHash('sha256').update(randomUUID()).digest('base64url')}`;

export async function startIdentityProvider(now: () => number): Promise<IdentityProvider> {
  const idTokens = new Set<string>();
  const refreshTokens = new Set<string>();
  const server = createServer(async (req, res) => {
    const { url = '', headers } = req;
    const fields = Object.fromEntries(new URLSearchParams(await text(req)));
    const { status = 200, body } = answerTo(url, fields, headers.authorization);
    res.writeHead(status, { 'content-type': 'application/json' });
    res.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const idp: IdentityProvider = {
    issuer,
    forms: [],
    refusals: [],
    lifetime: 3_600,
    audience: 'at-idp',
    isOpen: true,
    metadata: {},
    exchanged: {},
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  function signedIn() {
    const exp = Math.floor(now() / 1000) + idp.lifetime;
    const [token, refresh] = [
      jwt({ iss: issuer, aud: idp.audience, sub: 'alice', exp }),
      `idp-refresh-${randomUUID()}`,
    ];
    idTokens.add(token);
    refreshTokens.add(refresh);
    return {
      access_token: `idp-access-${randomUUID()}`,
      token_type: 'Bearer',
      id_token: token,
      refresh_token: refresh,
    };
  }

  function answerTo(url: string, fields: Readonly<Record<string, string>>, authorization?: string) {
    if (url.startsWith('/.well-known/')) return { body: { ...metadataOf(issuer), ...idp.metadata } };
    idp.forms.push({ path: url, fields, ...(authorization !== undefined && { authorization }) });
    if (url === '/revoke') return { body: {} };
    const refused = (error: string) => ({ status: 400, body: { error } });
    if (fields.grant_type === 'authorization_code') return { body: signedIn() };
    if (fields.grant_type === 'refresh_token') {
      const isGood = idp.isOpen && refreshTokens.delete(fields.refresh_token ?? '');
      return isGood ? { body: signedIn() } : refused('invalid_grant');
    }
    if (fields.grant_type !== TOKEN_EXCHANGE) return refused('unsupported_grant_type');
    const refusal = idp.refusals.shift();
    if (refusal) return { status: 400, body: refusal };
    if (!idTokens.has(fields.subject_token ?? '')) return refused('invalid_grant');
    const { audience: aud, resource, scope } = fields;
    const token = jwt({ iss: issuer, sub: 'alice', aud, resource, scope, jti: randomUUID() });
    const answer = { issued_token_type: ID_JAG, access_token: token, token_type: 'N_A', expires_in: 300 };
    return { body: { ...answer, ...idp.exchanged } };
  }

  return idp;
}

const metadataOf = (issuer: string): object => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  revocation_endpoint: `${issuer}/revoke`,
  jwks_uri: `${issuer}/jwks`,
  response_types_supported: ['code'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['RS256'],
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: ['client_secret_post'],
  scopes_supported: ['openid', 'offline_access'],
});
