/**
 * Owns an operator's identity provider as a program in a container: OpenID Connect Core 1.0 §3.1 for one client and one
 * person, over https. It refuses wrong requests, and uses only modules of Node.
 */
import { createHash, createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import process from 'node:process';
import { text } from 'node:stream/consumers';

const { ISSUER = '', CLIENT_ID = '', REDIRECT_URI = '' } = process.env;
const file = (name: string): string => readFileSync(`/acme/${name}`, 'utf8').trim();

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
const kid = randomUUID();

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or text for a page. */
  readonly body?: object | string;
}

const refused = (status: number, error: string, headers = {}): Answer => ({ status, headers, body: { error } });

const METADATA = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/authorize`,
  token_endpoint: `${ISSUER}/token`,
  jwks_uri: `${ISSUER}/keys`,
  response_types_supported: ['code'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['RS256'],
  authorization_response_iss_parameter_supported: true,
};

/** The authorization requests by the code that was issued for them. */
const codes = new Map<string, URLSearchParams>();

const wanted = {
  client_id: CLIENT_ID,
  redirect_uri: REDIRECT_URI,
  response_type: 'code',
  code_challenge_method: 'S256',
};

function authorize(method: string | undefined, asked: URLSearchParams): Answer {
  for (const [name, value] of Object.entries(wanted)) {
    if (asked.get(name) !== value) return { status: 400, body: `<h1>${name} is not what was registered</h1>` };
  }
  if (method !== 'POST') {
    return { body: '<!doctype html><h1>Acme</h1><form method="post"><button>Sign in as Alice</button></form>' };
  }
  const code = randomUUID();
  codes.set(code, asked);
  const target = new URL(REDIRECT_URI);
  target.search = new URLSearchParams({ code, state: asked.get('state') ?? '', iss: ISSUER }).toString();
  return { status: 303, headers: { location: target.href } };
}

/** RFC 6749 §2.3.1: both parts are form-encoded before they are joined. */
function isClient(authorization = ''): boolean {
  const given = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString().split(':');
  const [id, secret] = given.map((part) => new URLSearchParams(`part=${part}`).get('part'));
  return id === CLIENT_ID && secret === file('client-secret');
}

function token(authorization: string | undefined, given: URLSearchParams): Answer {
  if (!isClient(authorization)) return refused(401, 'invalid_client', { 'www-authenticate': 'Basic realm="acme"' });
  const asked = codes.get(given.get('code') ?? '');
  codes.delete(given.get('code') ?? '');
  const challenge = createHash('sha256')
    .update(given.get('code_verifier') ?? '')
    .digest('base64url');
  if (asked?.get('code_challenge') !== challenge || given.get('redirect_uri') !== REDIRECT_URI) {
    return refused(400, 'invalid_grant');
  }
  const now = Math.floor(Date.now() / 1000);
  const person = { sub: 'alice', name: 'Alice Example', email: 'alice@acme.example', email_verified: true };
  const claims = { iss: ISSUER, aud: CLIENT_ID, iat: now, exp: now + 60, nonce: asked.get('nonce'), ...person };
  const encoded = [{ alg: 'RS256', kid }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  const signature = sign('sha256', Buffer.from(encoded.join('.')), privateKey).toString('base64url');
  return { body: { access_token: randomUUID(), token_type: 'Bearer', id_token: [...encoded, signature].join('.') } };
}

async function answer({ method, headers, url = '/' }: IncomingMessage, body: string): Promise<Answer> {
  const { pathname, searchParams } = new URL(url, ISSUER);
  process.stdout.write(`${method} ${pathname}\n`);
  if (pathname === '/.well-known/openid-configuration') return { body: METADATA };
  if (pathname === '/keys') return { body: { keys: [{ ...jwk, kid, alg: 'RS256', use: 'sig' }] } };
  if (pathname === '/authorize') return authorize(method, searchParams);
  if (pathname === '/token') return token(headers.authorization, new URLSearchParams(body));
  return refused(404, 'not_found');
}

createServer({ key: file('key.pem'), cert: file('certificate.pem') }, async (req, res) => {
  if (existsSync('/acme/away')) return void req.destroy();
  const { status = 200, headers, body = '' } = await answer(req, await text(req));
  const type = typeof body === 'string' ? 'text/html' : 'application/json';
  res.writeHead(status, { 'content-type': type, ...headers });
  res.end(typeof body === 'string' ? body : JSON.stringify(body));
}).listen(443);
