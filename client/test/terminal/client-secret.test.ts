/** Proves how a confidential client signs in: where its secret is read, how it is sent, and that it is neither kept nor shown. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newPerson, type Person } from '../support/client.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';

/** Characters that forms and Basic encode. */
const SECRET = 'a:b+c/d=%-_~';
const VARIABLE = 'MCP_CLIENT_SECRET';

interface Place {
  readonly words: string;
  forget(): void;
  restore(): void;
}

/** Puts the secret into a file, or into the environment. */
function placeIn(person: Person, kind: 'file' | 'variable'): Place {
  const path = join(person.config, 'secret');
  const restore = () => {
    if (kind === 'file') writeFileSync(path, `${SECRET}\n`);
    else person.env = { [VARIABLE]: SECRET };
  };
  const forget = () => {
    if (kind === 'file') rmSync(path);
    else person.env = {};
  };
  restore();
  return {
    words: kind === 'file' ? `--client-id known --client-secret-file ${path}` : '--client-id known',
    forget,
    restore,
  };
}

const startConfidential = async (authMethods: readonly string[] | undefined): Promise<Issuer> => {
  const issuer = await startIssuer();
  Object.assign(issuer, { authMethods, secret: SECRET });
  return issuer;
};

const decoded = (header = ''): string => Buffer.from(header.replace(/^Basic /, ''), 'base64').toString();

const browse = (url: URL) => {
  const at = new URL(url.searchParams.get('redirect_uri') ?? '');
  at.search = new URLSearchParams({ state: url.searchParams.get('state') ?? '', code: 'code' }).toString();
  void fetch(at);
};

describe.each(['file', 'variable'] as const)('a client secret in a %s', (kind) => {
  it.each(['login', 'login --device'])(
    'RFC 6749 §2.3.1 %s, a renewal and a logout authenticate the client',
    async (login) => {
      await using issuer = await startConfidential(['client_secret_post', 'none']);
      using person = newPerson();
      const { words } = placeIn(person, kind);
      expect(await person.client(`${issuer.url} ${login} ${words}`, [], browse)).toMatchObject({ status: 0 });
      issuer.valid.clear();
      expect(await person.client(`${issuer.url} call roll`)).toMatchObject({ status: 0, stdout: 'rolled 4\n' });
      expect([issuer.renewed, issuer.registrations]).toEqual([1, []]);
      expect((await person.client(`${issuer.url} logout`)).stdout).toBe('Signed out: the tokens are revoked.\n');
    },
  );

  it('CWE-522 the secret is not in the token file, and is read again when tokens are renewed', async () => {
    await using issuer = await startConfidential(['client_secret_basic']);
    using person = newPerson();
    const place = placeIn(person, kind);
    await person.client(`${issuer.url} login --device ${place.words}`);
    const [path = ''] = person.files();
    expect(readFileSync(path, 'utf8')).not.toContain(SECRET);
    const before = readFileSync(path, 'utf8');
    issuer.valid.clear();
    place.forget();
    for (const command of ['call roll', 'logout']) {
      const { status, stderr } = await person.client(`${issuer.url} ${command}`);
      const why =
        kind === 'file' ? "the client secret in \\S+ can't be read \\(ENOENT\\)" : `${VARIABLE} is not set: .*`;
      expect([status, stderr]).toEqual([1, expect.stringMatching(new RegExp(`^client: ${why}\n$`))]);
    }
    expect(readFileSync(path, 'utf8')).toBe(before);
    place.restore();
    expect(await person.client(`${issuer.url} call roll`)).toMatchObject({ status: 0 });
  });

  it('the next sign-in of the same client reads the secret at the same place', async () => {
    await using issuer = await startConfidential(undefined);
    using person = newPerson();
    const { words } = placeIn(person, kind);
    for (const line of [words, '', '--client-id known']) {
      expect(await person.client(`${issuer.url} login --device ${line}`)).toMatchObject({ status: 0 });
    }
    expect(issuer.registrations).toEqual([]);
  });

  it('CWE-532 the secret is not in the output, even if the server repeats it', async () => {
    await using issuer = await startConfidential(['client_secret_basic']);
    using person = newPerson();
    const { words } = placeIn(person, kind);
    issuer.pending.push({ error: 'access_denied', error_description: `not with ${SECRET}` } as { error: string });
    const { status, stdout, stderr } = await person.client(`${issuer.url} login --device ${words}`);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/access_denied: not with …\n$/);
  });

  it.each([
    ['client_secret_basic', (issuer: Issuer) => String(issuer.forms.at(-1)?.authorization), 'Basic …'],
    ['client_secret_basic', (issuer: Issuer) => decoded(issuer.forms.at(-1)?.authorization), 'known:…'],
    ['client_secret_post', () => new URLSearchParams({ client_secret: SECRET }).toString(), 'client_secret=…'],
    ['client_secret_post', () => `?${encodeURIComponent(SECRET)}`, '?…'],
  ])('CWE-532 nor as a request with %s has it: %s', async (method, repeated, shown) => {
    await using issuer = await startConfidential([method]);
    using person = newPerson();
    const { words } = placeIn(person, kind);
    issuer.pending.push({
      error: 'access_denied',
      get error_description() {
        return repeated(issuer);
      },
    } as { error: string });
    const { status, stderr } = await person.client(`${issuer.url} login --device ${words}`);
    expect([status, stderr.split('\n').at(-2)?.replace(/=+$/, '')]).toEqual([1, `client: access_denied: ${shown}`]);
  });

  it('RFC 8259 §7 CWE-532 nor where JSON writes a quote of it with a backslash', async () => {
    await using issuer = await startIssuer();
    using person = newPerson();
    const secret = 'a"quoted\\secret';
    Object.assign(issuer, { authMethods: ['client_secret_basic'], secret });
    person.env = { [VARIABLE]: secret };
    issuer.pending.push({ error: 'access_denied', error_description: `not with ${secret}` } as { error: string });
    const { stdout } = await person.client(`${issuer.url} login --device --client-id known --json`);
    expect(JSON.parse(stdout).message).toBe('access_denied: not with …');
  });
});

describe('the method of a client with a secret', () => {
  const basic = `Basic ${Buffer.from('known:a%3Ab%2Bc%2Fd%3D%25-_%7E').toString('base64')}`;

  it.each([
    [undefined, 'RFC 8414 §2: Basic if the metadata does not say', basic, undefined],
    [['client_secret_basic', 'client_secret_post'], 'Basic if there is a choice', basic, undefined],
    [['client_secret_post', 'private_key_jwt'], 'the form if there is no Basic', undefined, SECRET],
  ])('with %j is %s', async (methods, _, authorization, secret) => {
    await using issuer = await startConfidential(methods);
    using person = newPerson();
    const { words } = placeIn(person, 'variable');
    for (const login of ['login', 'login --device']) {
      expect(await person.client(`${issuer.url} ${login} ${words}`, [], browse)).toMatchObject({ status: 0 });
    }
    issuer.valid.clear();
    await person.client(`${issuer.url} call roll`);
    const sent = issuer.forms.filter(({ path }) => path !== '/revoke');
    expect(sent.map(({ authorization, fields }) => [authorization, fields.client_secret])).toEqual(
      sent.map(() => [authorization, secret]),
    );
    expect(sent.length).toBe(4);
  });

  it.each([[['private_key_jwt', 'tls_client_auth']], [['none']]])(
    'with %j there is none, and the reason is told',
    async (methods) => {
      await using issuer = await startConfidential(methods);
      using person = newPerson();
      const { words } = placeIn(person, 'variable');
      const { status, stderr } = await person.client(`${issuer.url} login --device ${words}`);
      expect([status, stderr]).toEqual([
        1,
        `client: the authorization server takes no client secret, only ${methods.join(', ')}\n`,
      ]);
      expect(issuer.forms).toEqual([]);
    },
  );
});

describe('a client secret that cannot be one', () => {
  it.each([
    ['', 'is empty'],
    ['two\nlines', 'must be one line of ASCII'],
    ['ünïcode', 'must be one line of ASCII'],
  ])('RFC 6749 §A.2 %j is refused before the browser opens', async (text, why) => {
    await using issuer = await startConfidential(['client_secret_basic']);
    using person = newPerson();
    const path = join(person.config, 'secret');
    writeFileSync(path, text);
    const opened: URL[] = [];
    const line = `${issuer.url} login --client-id known --client-secret-file ${path}`;
    const { status, stderr } = await person.client(line, [], (url) => opened.push(url));
    expect([status, opened, stderr]).toEqual([1, [], expect.stringContaining(`${path} ${why}`)]);
  });

  it('a file without a client, and the secret itself as a word, end with 2', async () => {
    using person = newPerson();
    const login = 'https://a.example/mcp login';
    expect(await person.client(`${login} --client-secret-file x`)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--client-secret-file needs --client-id'),
    });
    expect(await person.client(`${login} --client-id known --client-secret x`)).toMatchObject({ status: 2 });
  });

  it('RFC 7591 §3.2.1 a secret that a registration gives to a public client is not sent where none is taken', async () => {
    await using issuer = await startIssuer();
    issuer.registered = { client_secret: SECRET, token_endpoint_auth_method: undefined };
    using person = newPerson();
    expect(await person.client(`${issuer.url} login`, [], browse)).toMatchObject({ status: 0 });
    expect(issuer.forms.map(({ authorization, fields }) => authorization ?? fields.client_secret)).toEqual([undefined]);
  });

  it('CWE-532 a secret that a registration gives is not in the output, even if the first request with it is refused', async () => {
    await using issuer = await startIssuer();
    issuer.authMethods = ['client_secret_post'];
    issuer.registered = { client_secret: SECRET, token_endpoint_auth_method: 'client_secret_post' };
    issuer.pending.push({ error: 'access_denied', error_description: `not with ${SECRET}` } as { error: string });
    using person = newPerson();
    const { stderr } = await person.client(`${issuer.url} login --device`);
    expect(issuer.forms.at(-1)?.fields.client_secret).toBe(SECRET);
    expect(stderr).toMatch(/access_denied: not with …\n$/);
  });

  it.each(['', '\ud800'])('the odd secret %j of a registration does not disturb the output', async (secret) => {
    await using issuer = await startIssuer();
    issuer.registered = { client_secret: secret };
    using person = newPerson();
    const { status, stdout } = await person.client(`${issuer.url} login`, [], browse);
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^Signed in by http\S+, for dice\.\n/)]);
  });

  it('a secret in the environment does not change a sign-in without --client-id', async () => {
    await using issuer = await startIssuer();
    using person = newPerson();
    person.env = { [VARIABLE]: SECRET };
    expect(await person.client(`${issuer.url} login --device`)).toMatchObject({ status: 0 });
    expect(JSON.parse(readFileSync(person.files()[0] ?? '', 'utf8')).secret).toBeUndefined();
    expect(issuer.forms.some(({ authorization, fields }) => authorization ?? fields.client_secret)).toBe(false);
  });
});
