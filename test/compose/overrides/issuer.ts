/**
 * Owns a foreign authorization server as a program in a container: its tokens do not follow RFC 9068, have a freely
 * chosen audience, and no scope. It uses only modules of Node.
 */
import { createHash, createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import process from 'node:process';

const issuer = process.env.ISSUER ?? '';
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
const kid = createHash('sha256').update(JSON.stringify(jwk)).digest('base64url');

const documents: Readonly<Record<string, unknown>> = {
  '/.well-known/openid-configuration': {
    issuer,
    jwks_uri: `${issuer}/certs`,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    response_types_supported: ['code'],
  },
  '/certs': { keys: [{ ...jwk, kid, alg: 'RS256', use: 'sig' }] },
};

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');

function token(audience: string): string {
  const now = Math.floor(performance.timeOrigin / 1000);
  const claims = { iss: issuer, sub: 'carol', azp: 'cli', aud: audience, iat: now, exp: now + 3600, jti: randomUUID() };
  const signed = `${encoded({ alg: 'RS256', typ: 'JWT', kid })}.${encoded(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
}

createServer((req, res) => {
  const { pathname, searchParams } = new URL(req.url ?? '/', 'http://issuer');
  const found =
    pathname === '/token' ? { access_token: token(searchParams.get('audience') ?? '') } : documents[pathname];
  res.writeHead(found ? 200 : 404, { 'Content-Type': 'application/json' }).end(JSON.stringify(found ?? {}));
}).listen(9100);
