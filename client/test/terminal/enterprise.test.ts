/**
 * Proves a sign-in that an enterprise manages (MCP enterprise-managed authorization): one sign-in at the identity provider serves all MCP
 * servers, renewals need nobody, and a refusal says who has to act.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newPerson, type Person, spawned } from '../support/client.ts';
import { type IdentityProvider, startIdentityProvider } from '../support/identity-provider.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const SERVER_METADATA = '/.well-known/oauth-authorization-server';
const PROFILE = 'urn:ietf:params:oauth:grant-profile:id-jag';

let idp: IdentityProvider;
let issuer: Issuer;
let person: Person;
let now = 0;
beforeEach(async () => {
  now = 0;
  idp = await startIdentityProvider(() => Date.now() + now);
  issuer = await startEnterpriseIssuer();
  person = newPerson();
  person.env = { MCP_CLIENT_SECRET: 'secret-at-server', MCP_IDP_CLIENT_SECRET: 'secret-at-idp' };
});
afterEach(async () => {
  person[Symbol.dispose]();
  await issuer[Symbol.asyncDispose]();
  await idp[Symbol.asyncDispose]();
});

async function startEnterpriseIssuer(): Promise<Issuer> {
  const started = await startIssuer();
  Object.assign(started, { authMethods: ['client_secret_basic'], secret: 'secret-at-server' });
  started.replaced[SERVER_METADATA] = { authorization_grant_profiles_supported: [PROFILE] };
  return started;
}

let opened: URL[] = [];
const browse = (url: URL) => {
  opened.push(url);
  const at = new URL(url.searchParams.get('redirect_uri') ?? '');
  at.search = new URLSearchParams({ state: url.searchParams.get('state') ?? '', code: 'code' }).toString();
  void fetch(at);
};
beforeEach(() => {
  opened = [];
});

const words = () => `login --enterprise --idp ${idp.issuer} --idp-client-id at-idp --client-id at-server`;
const login = (line = words(), at = issuer) => person.client(`${at.url} ${line}`, [], browse);
/** An error that repeats the request. */
const repeated = (error: string, { forms }: Pick<Issuer, 'forms'>) => ({
  error,
  get error_description() {
    const fields = Object.entries(forms.at(-1)?.fields ?? {});
    return fields.map(([name, value]) => `${name}=${value}`).join(' ');
  },
});
const exchanges = () => idp.forms.filter(({ fields }) => fields.requested_token_type !== undefined);
const originOf = ({ url }: Issuer) => new URL(url).origin;

describe('login --enterprise', () => {
  it('Enterprise-Managed Authorization §3 to §5: login --enterprise signs in at the identity provider, exchanges the ID token for an ID-JAG, and that for an access token', async () => {
    const { status, stdout } = await login();
    expect([status, stdout]).toEqual([
      0,
      expect.stringContaining(`Signed in by ${originOf(issuer)}, because ${idp.issuer} vouches for you, for dice.`),
    ]);
    expect(opened.map(({ origin, searchParams }) => [origin, searchParams.get('scope')])).toEqual([
      [idp.issuer, 'openid offline_access'],
    ]);
    const [exchange] = exchanges();
    expect(exchange?.fields).toMatchObject({
      audience: originOf(issuer),
      resource: issuer.url,
      scope: 'dice',
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      client_id: 'at-idp',
      client_secret: 'secret-at-idp',
    });
    const [presented, ...others] = issuer.forms;
    expect(others).toEqual([]);
    expect(presented).toMatchObject({
      fields: { grant_type: JWT_BEARER, resource: issuer.url, scope: 'dice' },
      authorization: `Basic ${Buffer.from('at-server:secret-at-server').toString('base64')}`,
    });
    expect(presented?.fields.client_secret).toBeUndefined();
    expect((await person.client(`${issuer.url} call roll`)).stdout).toBe('rolled 4\n');
  });

  it('one sign-in at the identity provider serves a second MCP server without a browser', async () => {
    await login();
    await using second = await startEnterpriseIssuer();
    expect(await login(words(), second)).toMatchObject({ status: 0 });
    expect(opened.length).toBe(1);
    expect((await person.client(`${second.url} call roll`)).stdout).toBe('rolled 4\n');
  });

  it('the next login needs no options, and stays one of the enterprise', async () => {
    await login();
    expect(await login('login')).toMatchObject({ status: 0, stdout: expect.stringContaining('vouches for you') });
    expect([opened.length, exchanges().length]).toEqual([1, 2]);
  });

  it.each([
    ['login --enterprise', 'the first sign-in with --enterprise needs --idp and --idp-client-id'],
    ['login --enterprise --idp URL --idp-client-id at-idp', 'the first sign-in with --enterprise needs --client-id'],
    ['login --idp URL', '--idp and --idp-client-id need --enterprise'],
    ['login --enterprise --idp http://idp.example.com --idp-client-id x', '--idp must be the https URL of an issuer'],
    ['login --enterprise --idp URL?a=b --idp-client-id x', '--idp must be the https URL of an issuer'],
    ['login --enterprise --idp-client-secret-file x', '--idp-client-secret-file needs --idp-client-id'],
    ['login --port 0', '--port must be between 1 and 65535'],
  ])('%s ends with 2 and says what is missing', async (line, why) => {
    const { status, stderr } = await login(line.replace('URL', idp.issuer));
    expect([status, stderr]).toEqual([2, expect.stringContaining(why)]);
    expect(opened).toEqual([]);
  });

  it('RFC 6749 §3.1.2.2 --port is the port of the redirect URI, for an identity provider that compares ports', async () => {
    const [free] = await freePorts(1);
    expect(await login(`${words()} --port ${free}`)).toMatchObject({ status: 0 });
    expect(opened[0]?.searchParams.get('redirect_uri')).toBe(`http://127.0.0.1:${free}/callback`);
    const taken = new URL(idp.issuer).port;
    await person.client(`${issuer.url} logout --enterprise`);
    expect(await login(`${words()} --port ${taken}`)).toMatchObject({
      status: 1,
      stderr: `client: port ${taken} of this machine is in use (--port)\n`,
    });
  });

  it('OpenID Connect Core §3.1.3.7 an ID token for another client is refused', async () => {
    idp.audience = 'somebody-else';
    const { status, stderr } = await login();
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining('gives no ID token of its own for the client at-idp'),
    ]);
    expect(exchanges()).toEqual([]);
  });

  it('Enterprise-Managed Authorization §6 an authorization server that does not announce ID-JAGs is asked all the same, with a warning', async () => {
    issuer.replaced[SERVER_METADATA] = {};
    expect(await login()).toMatchObject({
      status: 0,
      stderr: expect.stringContaining(`client: ${originOf(issuer)} does not announce that it takes ID-JAGs`),
    });
  });

  it('CWE-522 CWE-532 neither secret is in a file or in the output, and no token is in the output, even if an error repeats the request', async () => {
    for (const [name, secret] of [['server', 'secret-at-server'], ['idp', 'secret-at-idp']] as const)
      writeFileSync(join(person.config, name), secret); // biome-ignore format: one row
    person.env = {};
    const files = `--client-secret-file ${join(person.config, 'server')} --idp-client-secret-file ${join(person.config, 'idp')}`;
    const outputs = [await login(`${words()} ${files}`)];
    issuer.valid.clear();
    idp.refusals.push(repeated('access_denied', idp));
    outputs.push(await person.client(`${issuer.url} call roll`));
    issuer.pending.push(repeated('invalid_grant', issuer));
    outputs.push(await person.client(`${issuer.url} call roll`));
    const kept = person.files().map((path) => readFileSync(path, 'utf8'));
    expect(kept.length).toBe(2);
    expect(kept.join()).not.toMatch(/secret-at/);
    const shown = JSON.stringify(outputs);
    for (const name of ['subject_token', 'client_secret', 'assertion']) expect(shown).toContain(`${name}=…`);
    expect(shown).not.toMatch(/secret-at|eyJ|idp-refresh|access-[0-9a-f]/);
  });
});

describe('a renewal after login --enterprise', () => {
  it('the secret at the identity provider is read where the last login says', async () => {
    await login();
    const path = join(person.config, 'idp');
    writeFileSync(path, 'secret-at-idp');
    await login(`${words()} --idp-client-secret-file ${path}`);
    person.env = { MCP_CLIENT_SECRET: 'secret-at-server' };
    issuer.valid.clear();
    expect(await person.client(`${issuer.url} call roll`)).toMatchObject({ status: 0, stdout: 'rolled 4\n' });
    expect(exchanges().at(-1)?.fields.client_secret).toBe('secret-at-idp');
  });

  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §4.4.3 nobody is needed: a new ID-JAG is got with the ID token that is kept', async () => {
    await login();
    issuer.valid.clear();
    expect(await person.client(`${issuer.url} call roll`)).toEqual({ status: 0, stdout: 'rolled 4\n', stderr: '' });
    const assertions = issuer.forms.map(({ fields }) => fields.assertion);
    expect([exchanges().length, new Set(assertions).size, opened.length]).toEqual([2, 2, 1]);
    expect(new Set(exchanges().map(({ fields }) => fields.subject_token)).size).toBe(1);
  });

  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §4.4.3 an ID token that has expired is renewed with the refresh token of the identity provider, once', async () => {
    idp.lifetime = 30;
    await login();
    idp.lifetime = 3_600;
    for (let calls = 0; calls < 2; calls += 1) {
      issuer.valid.clear();
      expect(await person.client(`${issuer.url} call roll`)).toMatchObject({ status: 0, stdout: 'rolled 4\n' });
    }
    expect(idp.forms.filter(({ fields }) => fields.grant_type === 'refresh_token').length).toBe(1);
    expect(new Set(exchanges().map(({ fields }) => fields.subject_token)).size).toBe(2);
  });

  it('processes that renew at the same time ask each of both once, as a refresh token that comes twice would end the sign-in', async () => {
    const files = ['server', 'idp'].map((name) => join(person.config, name));
    for (const path of files) writeFileSync(path, path.endsWith('idp') ? 'secret-at-idp' : 'secret-at-server');
    const [atServer = '', atIdp = ''] = files;
    idp.lifetime = 30;
    await login(`${words()} --client-secret-file ${atServer} --idp-client-secret-file ${atIdp}`);
    idp.lifetime = 3_600;
    issuer.valid.clear();
    const asked = exchanges().length;
    const calls = [1, 2, 3].map(() => spawned([issuer.url, 'call', 'roll'], person));
    for (const ran of await Promise.all(calls)) expect(ran).toMatchObject({ status: 0, stdout: 'rolled 4\n' });
    expect(idp.forms.filter(({ fields }) => fields.grant_type === 'refresh_token').length).toBe(1);
    expect(exchanges().length - asked).toBe(1);
  });

  it('an ID token that the identity provider no longer accepts is renewed, and the ID-JAG asked for again', async () => {
    await login();
    issuer.valid.clear();
    idp.refusals.push({ error: 'invalid_grant' });
    expect(await person.client(`${issuer.url} call roll`)).toMatchObject({ status: 0, stdout: 'rolled 4\n' });
  });

  it('the end of the sign-in at the identity provider needs a person, status 3, and login opens the browser again', async () => {
    await login();
    issuer.valid.clear();
    idp.isOpen = false;
    idp.refusals.push({ error: 'invalid_grant' });
    const { status, stderr } = await person.client(`${issuer.url} call roll`);
    expect([status, stderr]).toEqual([
      3,
      `client: the sign-in has expired. Sign in: npm run client -- ${issuer.url} login\n`,
    ]);
    idp.refusals.push({ error: 'invalid_grant' });
    expect(await login('login')).toMatchObject({ status: 0 });
    expect(opened.length).toBe(2);
  });

  it('after a sign-in as the client itself it asks for no scope of that client', async () => {
    await login('login --client-credentials --client-id at-server');
    const [file = ''] = person.files();
    const grant = JSON.parse(readFileSync(file, 'utf8'));
    grant.tokens.scope = 'dice machines';
    writeFileSync(file, JSON.stringify(grant));
    expect(await login()).toMatchObject({ status: 0 });
    expect(exchanges().map(({ fields }) => fields.scope)).toEqual(['dice']);
  });

  it('a renewal asks for no scope beyond those of the sign-in, and a login with --scope asks for more', async () => {
    await login();
    await login('login --scope more');
    issuer.valid.clear();
    await person.client(`${issuer.url} call roll`);
    expect(exchanges().map(({ fields }) => fields.scope)).toEqual(['dice', 'dice more', 'dice']);
  });
});

describe('a refusal after login --enterprise says who has to act', () => {
  it.each([
    ['access_denied', /its administrator has to let at-idp use http\S+\/mcp, whose authorization server is http/i],
    ['invalid_target', /its administrator has to let at-idp use/i],
    ['invalid_scope', /its administrator has to let at-idp use/i],
    ['unsupported_grant_type', /its administrator has to let at-idp use/i],
    ['invalid_client', /compare --idp-client-id and its secret with the client at-idp there/],
  ])('Enterprise-Managed Authorization §4.2 %s of the identity provider ends with 1', async (error, hint) => {
    await login();
    issuer.valid.clear();
    idp.refusals.push({ error, error_description: 'so it is' });
    const { status, stderr } = await person.client(`${issuer.url} call roll`);
    expect([status, stderr.split('\n').length]).toEqual([1, 2]);
    expect(stderr).toContain(`client: the identity provider ${idp.issuer} gives no ID-JAG (${error}: so it is)`);
    expect(stderr).toMatch(hint);
  });

  it.each([
    ['invalid_grant', 'Its operator finds the reason in its log'],
    ['unsupported_grant_type', 'Its operator has to switch enterprise-managed authorization on'],
    ['unauthorized_client', 'Its operator has to allow at-server the grant jwt-bearer'],
    ['invalid_client', 'Compare --client-id and its secret with the client at-server there'],
    ['invalid_scope', 'The scopes are not among those that the ID-JAG and its operator allow'],
  ])('Enterprise-Managed Authorization §5 %s of the authorization server ends with 1', async (error, hint) => {
    issuer.pending.push({ error });
    const { status, stderr } = await login();
    expect(status).toBe(1);
    expect(stderr).toContain(
      `client: the authorization server ${originOf(issuer)} refuses the ID-JAG of ${idp.issuer} (${error}). ${hint}\n`,
    );
  });

  it('temporarily_unavailable at either of them ends with 4', async () => {
    await login();
    issuer.valid.clear();
    idp.refusals.push({ error: 'temporarily_unavailable' });
    expect(await person.client(`${issuer.url} call roll`)).toMatchObject({ status: 4 });
    issuer.pending.push({ error: 'temporarily_unavailable' });
    expect(await person.client(`${issuer.url} call roll`)).toMatchObject({ status: 4 });
  });

  it('RFC 8693 §2.2.1 an answer with another type of token is no ID-JAG', async () => {
    idp.exchanged = { issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' };
    const { status, stderr } = await login();
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining(`the identity provider ${idp.issuer} does not answer with an ID-JAG\n`),
    ]);
    expect(issuer.forms).toEqual([]);
  });

  it('RFC 8414 §3.3 an identity provider whose metadata names another issuer gets no ID token', async () => {
    await login();
    const asked = idp.forms.length;
    issuer.valid.clear();
    idp.metadata = { issuer: 'https://other.example' };
    expect(await person.client(`${issuer.url} call roll`)).toMatchObject({
      status: 1,
      stderr: `client: the metadata of ${idp.issuer} names another issuer: compare --idp\n`,
    });
    expect(idp.forms.length).toBe(asked);
  });

  it('CWE-918 a token endpoint of the identity provider outside its reach is not asked', async () => {
    idp.metadata = { token_endpoint: 'http://idp.example.com/token' };
    expect(await login()).toMatchObject({ status: 1, stderr: expect.stringMatching(/idp\.example\.com/) });
  });
});

describe('logout after login --enterprise', () => {
  it('RFC 7009 §2.1 a logout revokes the access token; the sign-in at the identity provider stays for other MCP servers', async () => {
    await login();
    expect(await person.client(`${issuer.url} logout`)).toMatchObject({
      status: 0,
      stdout: `Signed out: the tokens are revoked.\nThe sign-in at ${idp.issuer} stays: logout --enterprise ends it.\n`,
    });
    expect(person.files().length).toBe(1);
    await login();
    expect(opened.length).toBe(1);
  });

  it('RFC 7009 §2.1 with --enterprise the sign-in at the identity provider is revoked and deleted too', async () => {
    await login();
    expect((await person.client(`${issuer.url} logout --enterprise`)).stdout).toBe(
      `Signed out: the tokens are revoked.\nThe sign-in at ${idp.issuer} is over too.\n`,
    );
    expect(person.files()).toEqual([]);
    const revoked = idp.forms.filter(({ path }) => path === '/revoke').map(({ fields }) => fields.token_type_hint);
    expect(revoked).toEqual(['refresh_token', 'access_token']);
  });
});
