/** Proves how a client with a key signs in: what its assertions say, which key files it takes, and that no key or assertion is kept or shown. */
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newPerson, type Person } from '../support/client.ts';
import { type IdentityProvider, startIdentityProvider } from '../support/identity-provider.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = (key: KeyObject, type: 'pkcs8' | 'sec1' | 'pkcs1' = 'pkcs8') => key.export({ type, format: 'pem' });
const jwk = (key: KeyObject, members = {}) => JSON.stringify({ ...key.export({ format: 'jwk' }), ...members });

let issuer: Issuer;
let person: Person;
let path: string;
beforeEach(async () => {
  issuer = await startIssuer();
  issuer.authMethods = ['private_key_jwt'];
  person = newPerson();
  path = join(person.config, 'key');
  writeFileSync(path, pem(privateKey));
});
afterEach(async () => {
  person[Symbol.dispose]();
  await issuer[Symbol.asyncDispose]();
});

const browse = (url: URL) => {
  const at = new URL(url.searchParams.get('redirect_uri') ?? '');
  at.search = new URLSearchParams({ state: url.searchParams.get('state') ?? '', code: 'code' }).toString();
  void fetch(at);
};
const client = (line: string) => person.client(`${issuer.url} ${line}`, [], browse);
const keyed = () => `--client-id known --client-key ${path}`;
const originOf = ({ url }: Issuer) => new URL(url).origin;

/** Checks an assertion. @returns its audience and id */
async function checked(fields: Readonly<Record<string, string>>, id = 'known') {
  expect(fields).toMatchObject({ client_id: id, client_assertion_type: TYPE });
  expect(fields.client_secret).toBeUndefined();
  const options = { issuer: id, subject: id, requiredClaims: ['jti', 'iat'], maxTokenAge: 30 };
  const { payload } = await jwtVerify(fields.client_assertion ?? '', createPublicKey(privateKey), options);
  expect(Number(payload.exp) - Number(payload.iat)).toBe(60);
  return payload;
}

describe('login with --client-key', () => {
  it.each(['login', 'login --device', 'login --client-credentials'])(
    'RFC 7523 §2.2 with %s, renewals and logout the client authenticates itself with a new assertion for the issuer (rfc7523bis §4)',
    async (login) => {
      expect(await client(`${login} ${keyed()}`)).toMatchObject({ status: 0 });
      issuer.valid.clear();
      expect(await client('call roll')).toMatchObject({ status: 0, stdout: 'rolled 4\n' });
      expect((await client('logout')).status).toBe(0);
      const said = await Promise.all(issuer.forms.map(({ fields }) => checked(fields)));
      expect(new Set(said.map(({ aud }) => aud))).toEqual(new Set([originOf(issuer)]));
      expect(new Set(said.map(({ jti }) => jti)).size).toBe(issuer.forms.length);
      expect(issuer.forms.map((form) => form.path)).toContain('/revoke');
    },
  );

  it('CWE-522 CWE-532 neither key nor assertion is in the token file or in the output, even if an error repeats the request', async () => {
    await client(`login --client-credentials ${keyed()}`);
    const kept = readFileSync(person.files()[0] ?? '', 'utf8');
    expect(JSON.parse(kept)).toMatchObject({ secret: { key: path, audience: 'issuer' }, machine: true });
    issuer.valid.clear();
    issuer.pending.push({
      error: 'invalid_request',
      get error_description() {
        return String(issuer.forms.at(-1)?.fields.client_assertion);
      },
    } as { error: string });
    const { status, stdout, stderr } = await client('call roll');
    expect([status, stdout, stderr]).toEqual([1, '', 'client: the authorization server answers invalid_request: …\n']);
  });

  it('RFC 8414 §2 an authorization server that takes no private_key_jwt, or no algorithm of the key, gets nothing', async () => {
    issuer.authMethods = ['client_secret_basic'];
    expect(await client(`login --client-credentials ${keyed()}`)).toMatchObject({
      status: 1,
      stderr: 'client: the authorization server takes no private_key_jwt, only client_secret_basic\n',
    });
    issuer.authMethods = ['private_key_jwt'];
    issuer.replaced['/.well-known/oauth-authorization-server'] = {
      token_endpoint_auth_signing_alg_values_supported: ['RS256'],
    };
    expect(await client(`login --client-credentials ${keyed()}`)).toMatchObject({
      status: 1,
      stderr: `client: the key of the client in ${path} signs with ES256, and the server takes RS256\n`,
    });
    expect(issuer.forms).toEqual([]);
  });

  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const ed25519 = generateKeyPairSync('ed25519').privateKey;
  it.each<[title: string, text: string | Buffer, header: object, algorithms?: string[]]>([
    ['SEC 1', pem(privateKey, 'sec1'), { alg: 'ES256' }],
    ['PKCS #1', pem(rsa, 'pkcs1'), { alg: 'RS256' }],
    ['PKCS #8 where the server wants PS256', pem(rsa), { alg: 'PS256' }, ['PS256', 'ES256']],
    ['a JWK with kid and alg', jwk(rsa, { kid: 'mine', alg: 'PS512' }), { alg: 'PS512', kid: 'mine' }],
    ['a JWK of Ed25519', jwk(ed25519), { alg: 'EdDSA' }],
    ['a JWK of Ed25519 where the server wants the name of RFC 9864', jwk(ed25519), { alg: 'Ed25519' }, ['Ed25519']],
  ])('RFC 7518 §3.1 a key in the form %s signs', async (_title, text, header, algorithms) => {
    writeFileSync(path, text);
    issuer.replaced['/.well-known/oauth-authorization-server'] = {
      ...(algorithms && { token_endpoint_auth_signing_alg_values_supported: algorithms }),
    };
    expect(await client(`login --client-credentials ${keyed()}`)).toMatchObject({ status: 0 });
    expect(decodeProtectedHeader(issuer.forms[0]?.fields.client_assertion ?? '')).toEqual({ typ: 'JWT', ...header });
  });

  it.each([
    ['nothing', '', 'must be a private key'],
    ['a JWK without its members', '{"kty":"RSA"}', 'must be a private key'],
    [
      'a public key in PEM',
      createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }),
      'must be a private key',
    ],
    ['a public JWK', jwk(createPublicKey(privateKey)), 'must be a private key'],
    ['a key that can only encrypt', pem(generateKeyPairSync('x25519').privateKey), 'must be an RSA, P-256'],
  ])('RFC 7523 §2.2 a file with %s is refused before anything is sent, and not shown', async (_title, text, why) => {
    writeFileSync(path, text);
    const { status, stderr } = await client(`login --client-credentials ${keyed()}`);
    expect([status, stderr]).toEqual([1, expect.stringContaining(`the key of the client in ${path} ${why}`)]);
    expect(issuer.forms).toEqual([]);
  });

  it.each([
    ['login --client-key x', '--client-key needs --client-id'],
    ['login --client-id a --client-key x --client-secret-file y', "can't be used together"],
    ['login --client-credentials', '--client-credentials needs --client-id, and its secret or key'],
    ['login --client-credentials --client-id a', '--client-credentials needs --client-id, and its secret or key'],
    ['login --client-credentials --enterprise', '--enterprise is for people, --client-credentials for programs'],
    ['login --enterprise --idp-client-key x', '--idp-client-key needs --idp-client-id'],
  ])('%s ends with 2 and says why', async (line, why) => {
    expect(await client(line)).toMatchObject({ status: 2, stderr: expect.stringContaining(why) });
    expect(issuer.forms).toEqual([]);
  });
});

describe('login --client-credentials', () => {
  it('RFC 6749 §4.4 with a secret it asks for one resource and scope, and keeps no refresh token', async () => {
    Object.assign(issuer, { authMethods: ['client_secret_basic'], secret: 'a-secret' });
    person.env = { MCP_CLIENT_SECRET: 'a-secret' };
    expect(await client('login --client-credentials --client-id known')).toMatchObject({ status: 0 });
    expect(issuer.forms.map(({ fields }) => fields)).toEqual([
      { grant_type: 'client_credentials', resource: issuer.url, scope: 'dice' },
    ]);
    expect(readFileSync(person.files()[0] ?? '', 'utf8')).not.toContain('refresh');
    issuer.valid.clear();
    expect(await client('call roll')).toMatchObject({ status: 0, stdout: 'rolled 4\n' });
    expect(issuer.forms.length).toBe(2);
    expect(await client('login')).toMatchObject({ status: 0 });
    expect(issuer.forms.at(-1)?.fields.grant_type).toBe('client_credentials');
  });

  it('a later login without it does the same, and says how a person signs in', async () => {
    await client(`login --client-credentials ${keyed()}`);
    issuer.pending.push({ error: 'invalid_client' });
    expect(await client('login')).toMatchObject({
      status: 1,
      stderr: `client: known signs in as itself, as at the last sign-in. To sign in as a person: login --no-browser, login --device, or logout before login
client: the authorization server answers invalid_client: invalid_client
`,
    });
  });

  it.each([
    ['login --port', 'client-1'],
    ['login --device', 'client-1'],
    ['login --client-id other', 'other'],
  ])('afterwards %s signs in a person, with a client of its own', async (line, id) => {
    await client(`login --client-credentials ${keyed()}`);
    issuer.authMethods = ['none'];
    const [port] = line.endsWith('--port') ? await freePorts(1) : [''];
    expect(await client(`${line} ${port}`)).toMatchObject({ status: 0 });
    const { fields } = issuer.forms.at(-1) ?? {};
    expect(fields?.client_id).toBe(id);
    expect(fields?.grant_type).not.toBe('client_credentials');
  });

  it('afterwards login --no-browser is for a person too: it begins with a registration', async () => {
    await client(`login --client-credentials ${keyed()}`);
    issuer.registered = { client_id: 5 };
    expect(await client('login --no-browser')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('the registration is answered with no client'),
    });
  });

  it('RFC 6749 §4.4 after a sign-in of a person it asks for no scope of that person', async () => {
    issuer.authMethods = ['none'];
    await client('login');
    const [file = ''] = person.files();
    const grant = JSON.parse(readFileSync(file, 'utf8'));
    grant.tokens.scope = 'dice offline_access';
    writeFileSync(file, JSON.stringify(grant));
    issuer.authMethods = ['private_key_jwt'];
    expect(await client(`login --client-credentials ${keyed()}`)).toMatchObject({ status: 0 });
    expect(issuer.forms.at(-1)?.fields).toMatchObject({ grant_type: 'client_credentials', scope: 'dice' });
  });

  it('RFC 6749 §5.2 a client that is no longer known needs somebody: status 3', async () => {
    await client(`login --client-credentials ${keyed()}`);
    issuer.valid.clear();
    issuer.pending.push({ error: 'invalid_client' });
    expect(await client('call roll')).toMatchObject({ status: 3 });
  });
});

describe('login --enterprise with keys', () => {
  let idp: IdentityProvider;
  beforeEach(async () => {
    idp = await startIdentityProvider(() => Date.now());
    idp.metadata = { token_endpoint_auth_methods_supported: ['private_key_jwt'] };
  });
  afterEach(() => idp[Symbol.asyncDispose]());

  it('OpenID Connect Core §9 the assertion for the identity provider names the URL that is asked, the other one the issuer', async () => {
    idp.lifetime = 30;
    const there = `--idp ${idp.issuer} --idp-client-id at-idp --idp-client-key ${path}`;
    expect(await client(`login --enterprise ${there} ${keyed()}`)).toMatchObject({ status: 0 });
    idp.lifetime = 3_600;
    issuer.valid.clear();
    expect(await client('call roll')).toMatchObject({ status: 0, stdout: 'rolled 4\n' });
    await client('logout --enterprise');
    const grants = new Set(idp.forms.map(({ fields }) => fields.grant_type));
    expect(grants).toEqual(
      new Set([
        'authorization_code',
        'refresh_token',
        'urn:ietf:params:oauth:grant-type:token-exchange',
        undefined, // The revocation.
      ]),
    );
    for (const form of idp.forms) expect((await checked(form.fields, 'at-idp')).aud).toBe(idp.issuer + form.path);
    for (const form of issuer.forms) expect((await checked(form.fields)).aud).toBe(originOf(issuer));
    const used = [...idp.forms, ...issuer.forms].map(({ fields }) => fields.client_assertion);
    expect(new Set(used).size).toBe(used.length);
  });
});
