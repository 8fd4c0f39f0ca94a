/**
 * Owns an OpenID provider in a test that signs people in, disables them and changes their groups. Its refresh tokens are good for
 * one use, and the use of an old one ends their family (RFC 9700 §4.14.2).
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { serve } from '@mcp-oauth/shared/testing/listen';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

interface Member {
  groups: readonly string[];
  isDisabled: boolean;
}

export interface UpstreamProvider extends AsyncDisposable {
  /** Environment of an auth-server whose people sign in here. */
  readonly env: Readonly<Record<string, string>>;
  /** By the name on their button. */
  readonly people: Readonly<Record<string, Member>>;
  /** Refreshes by person, accepted or not. */
  readonly refreshes: ReadonlyMap<string, number>;
  /** Every access and refresh token. */
  readonly issued: readonly string[];
  /** Uses of a refresh token that had been used. */
  readonly reuses: () => number;
  /** Ends every session of this person: their refresh tokens do not work any more. */
  readonly endSessions: (name: string) => void;
  /** Whether it answers nothing but 503. */
  isDown: boolean;
  /** What each refusal of a disabled person waits for. Absent: nothing. */
  held: Promise<void> | undefined;
}

/** Milliseconds that an answer to a refresh takes, so that requests at the same moment meet each other. */
const DELAY = 150;

export async function upstreamProvider(names: readonly string[]): Promise<UpstreamProvider> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const people = Object.fromEntries(
    names.map((name): [string, Member] => [name, { groups: ['staff'], isDisabled: false }]),
  );
  const codes = new Map<string, { readonly name: string; readonly nonce: string }>();
  /** The current refresh token of each family, and the person. */
  const families = new Map<string, { readonly name: string; current: string }>();
  const refreshes = new Map<string, number>();
  let reuses = 0;
  let count = 0;
  const next = (): string => {
    count += 1;
    return String(count);
  };
  const issued: string[] = [];

  const tokens = async (name: string, family: string, nonce?: string) => {
    const refreshToken = `${family}.${randomBytes(16).toString('hex')}`;
    const accessToken = randomBytes(16).toString('hex');
    issued.push(refreshToken, accessToken);
    families.set(family, { name, current: refreshToken });
    const idToken = await new SignJWT({ nonce, name, groups: people[name]?.groups })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuer(server.url)
      .setSubject(name.toLowerCase())
      .setAudience('mcp')
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey);
    return {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: 300,
      refresh_token: refreshToken,
      id_token: idToken,
    };
  };
  const refusal = (description: string) => ({ error: 'invalid_grant', error_description: description });

  async function refreshed(refreshToken: string): Promise<object> {
    const family = refreshToken.split('.')[0] ?? '';
    const found = families.get(family);
    if (!found) return refusal('Session not active');
    refreshes.set(found.name, (refreshes.get(found.name) ?? 0) + 1);
    if (found.current !== refreshToken) {
      reuses += 1;
      families.delete(family);
      return refusal('Stale token');
    }
    // As Keycloak says it.
    if (people[found.name]?.isDisabled) {
      await provider.held;
      return refusal('User disabled');
    }
    const answer = await tokens(found.name, family);
    await setTimeout(DELAY);
    return answer;
  }

  async function token(form: URLSearchParams): Promise<object> {
    if (form.get('grant_type') === 'refresh_token') return refreshed(form.get('refresh_token') ?? '');
    const code = codes.get(form.get('code') ?? '');
    return code ? tokens(code.name, next(), code.nonce) : refusal('Code not valid');
  }

  const server = await serve(async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://upstream');
    const send = (value: object) => {
      const status = 'error' in value ? 400 : 200;
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    if (provider.isDown) return void response.writeHead(503).end();
    if (url.pathname === '/.well-known/openid-configuration') return send(metadata(server.url));
    if (url.pathname === '/jwks')
      return send({ keys: [{ ...(await exportJWK(publicKey)), alg: 'RS256', kid: 'one' }] });
    const form = new URLSearchParams(await text(request));
    if (url.pathname === '/token') return send(await token(form));
    const name = form.get('name');
    if (!name) return void response.setHeader('content-type', 'text/html').end(page(url, names));
    const code = next();
    codes.set(code, { name, nonce: url.searchParams.get('nonce') ?? '' });
    const back = `${url.searchParams.get('redirect_uri')}?code=${code}&state=${url.searchParams.get('state')}`;
    response.writeHead(303, { location: back }).end();
  });
  const provider: UpstreamProvider = {
    people,
    refreshes,
    issued,
    reuses: () => reuses,
    endSessions: (name) => {
      for (const [family, { name: holder }] of families) if (holder === name) families.delete(family);
    },
    isDown: false,
    held: undefined,
    env: {
      CONNECTORS: 'acme',
      CONNECTOR_ACME_TYPE: 'keycloak',
      CONNECTOR_ACME_ISSUER: server.url,
      CONNECTOR_ACME_CLIENT_ID: 'mcp',
      CONNECTOR_ACME_CLIENT_SECRET: 'secret of this server',
      CONNECTOR_ACME_ALLOW: 'group:staff',
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
  return provider;
}

const metadata = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/jwks`,
});

const page = ({ pathname, search }: URL, names: readonly string[]): string => {
  const buttons = names.map((name) => `<button name="name" value="${name}">${name}</button>`);
  return `<form method="post" action="${(pathname + search).replaceAll('&', '&amp;')}">${buttons.join('')}</form>`;
};

async function text(request: IncomingMessage): Promise<string> {
  let read = '';
  for await (const part of request) read += part;
  return read;
}
