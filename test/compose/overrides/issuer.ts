/**
 * Owns a foreign authorization server as a program in a container: its tokens are those of Keycloak, as its documentation describes
 * them, with a freely chosen audience. It uses only modules of Node.
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

/** @param typ as a claim: `Bearer` is an access token, `ID` an id token */
function token(audience: string, typ: string): string {
  const now = Math.floor(performance.timeOrigin / 1000);
  const of = { sub: 'carol', azp: 'cli', aud: [audience, 'account'], typ, scope: 'mcp:tools email' };
  const claims = { iss: issuer, ...of, iat: now, exp: now + 3600, jti: randomUUID() };
  const signed = `${encoded({ alg: 'RS256', typ: 'JWT', kid })}.${encoded(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
}

createServer((req, res) => {
  const { pathname, searchParams } = new URL(req.url ?? '/', 'http://issuer');
  const asked = (name: string) => searchParams.get(name) ?? '';
  const found = pathname === '/token' ? { access_token: token(asked('audience'), asked('typ')) } : documents[pathname];
  res.writeHead(found ? 200 : 404, { 'Content-Type': 'application/json' }).end(JSON.stringify(found ?? {}));
}).listen(9100);
