/** Proves the life of a sign-in on the terminal: device code, renewal by several processes, sign-out, and what is never shown. */
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { newPerson, type Person, spawned } from '../support/client.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';

const tokensIn = ({ files }: Person) => JSON.parse(readFileSync(files()[0] ?? '', 'utf8')).tokens;

async function signedIn(issuer: Issuer): Promise<Person> {
  const person = newPerson();
  expect(await person.client(`${issuer.url} login --device`)).toMatchObject({ status: 0 });
  return person;
}

describe('a sign-in with a code on another device', () => {
  it('RFC 8628 §3.3 the client shows the page and the code, and waits until the person has agreed', async () => {
    await using issuer = await startIssuer();
    using person = newPerson();
    issuer.pending.push({ error: 'authorization_pending' }, { error: 'slow_down' });
    const { status, stdout, stderr } = await person.client(`${issuer.url} login --device`);
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/^Signed in by http:\S+, for dice\.\nThe tokens are in /),
    ]);
    expect(stderr).toContain('enter WDJB-MJHT:\n\n  http://127.0.0.1');
    expect(stderr).toContain('/enter?code=WDJB-MJHT');
    expect(await person.client(`${issuer.url} call roll`)).toEqual({ status: 0, stdout: 'rolled 4\n', stderr: '' });
  });

  it('RFC 8628 §3.3.1 a terminal shows the URL with the code as a QR code too, below the text', async () => {
    await using issuer = await startIssuer();
    using person = newPerson();
    const shown = async (columns: number, more = '') => {
      person.columns = columns;
      return person.client(`${issuer.url} login --device${more}`);
    };
    const { stdout, stderr } = await shown(80);
    expect(stderr.indexOf('?code=WDJB-MJHT')).toBeGreaterThan(0);
    expect(stderr.indexOf('█')).toBeGreaterThan(stderr.indexOf('?code=WDJB-MJHT'));
    expect(stdout).not.toMatch(/[▀▄█]/);
    for (const quiet of [await shown(20), await shown(0), await shown(80, ' --json')]) {
      expect(quiet.status).toBe(0);
      expect(quiet.stderr + quiet.stdout).not.toMatch(/[▀▄█]/);
    }
  });

  it('RFC 8628 §3.5 waits as long as the issuer says, and five seconds longer after slow_down', async () => {
    await using issuer = await startIssuer();
    using person = newPerson();
    issuer.pending.push({ error: 'slow_down' }, { error: 'authorization_pending' });
    await person.client(`${issuer.url} login --device`);
    expect(person.waited).toEqual([1_000, 6_000, 6_000]);
  });

  it('RFC 8628 §3.1 and RFC 8707 §2 ask for the scope and the resource as a registered client', async () => {
    await using issuer = await startIssuer();
    using _person = await signedIn(issuer);
    expect(issuer.registrations).toEqual([
      expect.objectContaining({
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
        token_endpoint_auth_method: 'none',
      }),
    ]);
    const fields = { client_id: 'client-1', resource: issuer.url };
    expect(issuer.forms).toEqual([
      { path: '/device', fields: { ...fields, scope: 'dice' } },
      { path: '/token', fields: expect.objectContaining({ ...fields, device_code: 'device' }) },
    ]);
  });

  it('RFC 8628 §3.5 the client ends with 1 and the reason if the person refuses', async () => {
    await using issuer = await startIssuer();
    using person = newPerson();
    issuer.pending.push({ error: 'access_denied' });
    const { status, stderr } = await person.client(`${issuer.url} login --device`);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/\nclient: access_denied\n$/)]);
  });

  it('a code that nobody enters ends with 1 when its time is over', async () => {
    await using issuer = await startIssuer();
    using person = newPerson();
    issuer.pending.push(...Array.from({ length: 700 }, () => ({ error: 'authorization_pending' })));
    const { status, stderr } = await person.client(`${issuer.url} login --device`);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/\nclient: nobody has signed in in time\n$/)]);
    // The code lasts for ten minutes, and is asked for every second.
    expect(person.waited.length).toBeLessThanOrEqual(600);
  });

  it('the client of the last sign-in is used again', async () => {
    await using issuer = await startIssuer();
    using person = await signedIn(issuer);
    await person.client(`${issuer.url} login --device`);
    expect(issuer.registrations).toHaveLength(1);
    await person.client(`${issuer.url} login --device --scope more`);
    expect(issuer.registrations).toHaveLength(2);
  });
});

/** Comes back from the browser with this answer; `state` is that of the request unless another is given. */
function answering(answer: Readonly<Record<string, string>>, seen: URL[] = []): (url: URL) => void {
  return (url) => {
    seen.push(url);
    const at = new URL(url.searchParams.get('redirect_uri') ?? '');
    const state = url.searchParams.get('state') ?? '';
    at.search = new URLSearchParams({ state, ...answer }).toString();
    void fetch(at);
  };
}

describe('a sign-in in the browser', () => {
  it('RFC 7636 §4.2 and RFC 8707 §2 asks with PKCE for the resource, and the next one uses the same redirect', async () => {
    await using issuer = await startIssuer();
    using person = newPerson();
    const iss = new URL(issuer.url).origin;
    const seen: URL[] = [];
    for (const _ of [1, 2]) {
      const { status } = await person.client(`${issuer.url} login`, [], answering({ code: 'code', iss }, seen));
      expect(status).toBe(0);
    }
    expect(issuer.registrations).toHaveLength(1);
    const [first, second] = seen.map(({ searchParams }) => Object.fromEntries(searchParams));
    expect(first).toMatchObject({
      code_challenge_method: 'S256',
      resource: issuer.url,
      scope: 'dice',
      client_id: 'client-1',
    });
    expect(second).toMatchObject({ redirect_uri: first?.redirect_uri });
    expect(second?.state).not.toBe(first?.state);
    expect(issuer.forms[0]?.fields).toMatchObject({
      code: 'code',
      redirect_uri: first?.redirect_uri,
      resource: issuer.url,
    });
  });

  it('RFC 9207 §2.4 an answer of another issuer is refused, and its code is not sent to anybody', async () => {
    await using issuer = await startIssuer();
    using person = newPerson();
    const browse = answering({ code: 'code', iss: 'https://evil.example' });
    expect(await person.client(`${issuer.url} login`, [], browse)).toMatchObject({ status: 1, stdout: '' });
    expect(issuer.forms).toEqual([]);
  });

  it('RFC 6749 §4.1.2.1 the client ends with 1 and the reason if the person refuses', async () => {
    await using issuer = await startIssuer();
    using person = newPerson();
    const browse = answering({ error: 'access_denied', error_description: 'not you\u001b[2J' });
    const { status, stderr } = await person.client(`${issuer.url} login`, [], browse);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/\nclient: access_denied: not you\\u001b\[2J\n$/)]);
  });

  it('RFC 6749 §10.12 an answer with another state is ignored', async () => {
    await using issuer = await startIssuer();
    using person = newPerson();
    const iss = new URL(issuer.url).origin;
    const browse = (url: URL) => {
      answering({ code: 'foreign', state: 'foreign' })(url);
      answering({ code: 'own', iss })(url);
    };
    expect(await person.client(`${issuer.url} login`, [], browse)).toMatchObject({ status: 0 });
    expect(issuer.forms.map(({ fields }) => fields.code)).toEqual(['own']);
  });

  it('a client that the operator has registered is used with --client-id', async () => {
    await using issuer = await startIssuer();
    using person = newPerson();
    const browse = answering({ code: 'code' });
    expect(await person.client(`${issuer.url} login --client-id known`, [], browse)).toMatchObject({ status: 0 });
    expect([issuer.registrations, issuer.forms[0]?.fields.client_id]).toEqual([[], 'known']);
  });
});

describe('RFC 9728 §2 a server that names several issuers', () => {
  it('the issuer that --issuer names is used', async () => {
    await using issuer = await startIssuer();
    using person = newPerson();
    issuer.others.push('http://127.0.0.1:1');
    const { origin } = new URL(issuer.url);
    const { status, stdout } = await person.client(`${issuer.url} login --device --issuer ${origin}`);
    expect([status, stdout]).toEqual([0, expect.stringContaining(`Signed in by ${origin}, `)]);
  });

  it('an issuer that the server does not name is refused, and asked nothing', async () => {
    await using issuer = await startIssuer();
    using person = newPerson();
    const { status, stderr } = await person.client(`${issuer.url} login --device --issuer https://login.example`);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/the server names http:\S+, not https:\/\/login\.example\n$/),
    ]);
    expect(issuer.registrations).toEqual([]);
  });
});

describe('metadata of another server', () => {
  it('RFC 9728 §3.3 a sign-in for another resource is refused before anything is registered', async () => {
    await using issuer = await startIssuer();
    using person = newPerson();
    issuer.replaced['/.well-known/oauth-protected-resource/mcp'] = { resource: 'https://bank.example/mcp' };
    const { status, stderr } = await person.client(`${issuer.url} login --device`);
    expect([status, stderr]).toEqual([1, expect.stringContaining('is for https://bank.example/mcp, which is not')]);
    expect([issuer.registrations, issuer.forms]).toEqual([[], []]);
  });

  it.each(['call roll', 'logout'])('RFC 8414 §3.3 %s sends no refresh token to another issuer', async (command) => {
    await using issuer = await startIssuer();
    using person = await signedIn(issuer);
    const sent = issuer.forms.length;
    issuer.valid.clear();
    issuer.replaced['/.well-known/oauth-authorization-server'] = { issuer: 'https://evil.example' };
    await person.client(`${issuer.url} ${command}`);
    expect(issuer.forms.slice(sent)).toEqual([]);
  });
});

describe('a kept sign-in', () => {
  it('tokens are in a file that only the person can read, one for each server', async () => {
    await using issuer = await startIssuer();
    using person = await signedIn(issuer);
    const [path = '', ...others] = person.files();
    expect(others).toEqual([]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ url: issuer.url, tokens: { scope: 'dice' } });
    expect(await person.client(`${issuer.url}?other call roll`)).toMatchObject({ status: 3, stdout: '' });
  });

  it('CWE-732 tokens are not used from a file that others can read', async () => {
    await using issuer = await startIssuer();
    using person = await signedIn(issuer);
    const [path = ''] = person.files();
    chmodSync(path, 0o644);
    const { status, stderr } = await person.client(`${issuer.url} call roll`);
    expect([status, stderr]).toEqual([
      1,
      `client: other users can read ${path}: chmod 600 it, or delete it and sign in again\n`,
    ]);
  });

  it('a damaged file ends with 1 and its path, and stays as it is', async () => {
    await using issuer = await startIssuer();
    using person = await signedIn(issuer);
    const [path = ''] = person.files();
    writeFileSync(path, '{"tokens":');
    const { status, stderr } = await person.client(`${issuer.url} call roll`);
    expect([status, stderr]).toEqual([1, `client: ${path} is damaged: delete it, and sign in again\n`]);
    expect(readFileSync(path, 'utf8')).toBe('{"tokens":');
  });

  it('a file that cannot be a sign-in ends with 1 and its path', async () => {
    await using issuer = await startIssuer();
    using person = await signedIn(issuer);
    const [path = ''] = person.files();
    rmSync(path);
    mkdirSync(path);
    const { status, stderr } = await person.client(`${issuer.url} call roll`);
    expect([status, stderr]).toEqual([1, `client: ${path} is not a regular file\n`]);
  });

  it('a folder that cannot be used ends with 1, names the option, and asks the person nothing', async () => {
    await using issuer = await startIssuer();
    using person = await signedIn(issuer);
    const [path = ''] = person.files();
    for (const line of ['login --device', 'logout', 'call roll']) {
      const { status, stderr } = await person.client(`${issuer.url} ${line} --tokens ${path}`);
      expect([status, stderr]).toEqual([
        1,
        expect.stringMatching(/^client: the sign-in can't be read .*: see --tokens\n$/),
      ]);
    }
  });

  it('RFC 6749 §A.12 a token that cannot be sent is not shown either', async () => {
    await using issuer = await startIssuer();
    using person = await signedIn(issuer);
    const [path = ''] = person.files();
    const grant = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...grant, tokens: { ...grant.tokens, access_token: 'secret\nword' } }));
    const { status, stderr } = await person.client(`${issuer.url} call roll`);
    expect([status, stderr]).toEqual([1, `client: ${path} is damaged: delete it, and sign in again\n`]);
  });

  it('RFC 6749 §6 tokens are renewed when the server refuses them', async () => {
    await using issuer = await startIssuer();
    using person = await signedIn(issuer);
    const before = tokensIn(person);
    issuer.valid.clear();
    expect(await person.client(`${issuer.url} call roll`)).toEqual({ status: 0, stdout: 'rolled 4\n', stderr: '' });
    expect(issuer.renewed).toBe(1);
    expect(tokensIn(person).refresh_token).not.toBe(before.refresh_token);
    expect(issuer.forms.at(-1)?.fields).toMatchObject({ resource: issuer.url, client_id: 'client-1' });
  });

  it('RFC 9700 §4.14.2 tokens are renewed once when four processes need them at the same time', async () => {
    await using issuer = await startIssuer();
    using person = await signedIn(issuer);
    issuer.valid.clear();
    const allRefused = issuer.refuses(4);
    issuer.beforeRenewal = () => allRefused;
    const runs = Array.from({ length: 4 }, () => spawned([issuer.url, 'call', 'roll'], person));
    expect(await Promise.all(runs)).toEqual(runs.map(() => ({ status: 0, stdout: 'rolled 4\n', stderr: '' })));
    expect([issuer.renewed, issuer.reused]).toEqual([1, false]);
    expect(person.files()).toHaveLength(1);
  });

  it('a lock that a crashed process has left does not hold the next one up for ever', async () => {
    await using issuer = await startIssuer();
    using person = await signedIn(issuer);
    const [path = ''] = person.files();
    writeFileSync(`${path}.lock`, '');
    issuer.valid.clear();
    expect(await person.client(`${issuer.url} call roll`)).toMatchObject({ status: 0 });
    expect(person.files()).toEqual([path]);
  });

  it('tokens that are not renewed any more end with 3, and how to sign in', async () => {
    await using issuer = await startIssuer();
    using person = await signedIn(issuer);
    issuer.valid.clear();
    issuer.reused = true;
    const { status, stdout, stderr } = await person.client(`${issuer.url} call roll --json`);
    const message = `the sign-in has expired. Sign in: npm run client -- ${issuer.url} login`;
    expect([status, stderr]).toEqual([3, `client: ${message}\n`]);
    expect(JSON.parse(stdout)).toEqual({ error: 'sign-in-needed', message });
  });

  it('RFC 6749 §5.2 an authorization server that fails for a moment ends with 4, and the sign-in is kept', async () => {
    await using issuer = await startIssuer();
    using person = await signedIn(issuer);
    issuer.valid.clear();
    issuer.failing = true;
    const before = tokensIn(person);
    expect(await person.client(`${issuer.url} call roll`)).toMatchObject({ status: 4, stdout: '' });
    expect(tokensIn(person)).toEqual(before);
    issuer.failing = false;
    expect(await person.client(`${issuer.url} call roll`)).toMatchObject({ status: 0 });
  });

  it('RFC 7009 §2.1 tokens are revoked by logout, and their file is deleted', async () => {
    await using issuer = await startIssuer();
    using person = await signedIn(issuer);
    const { access_token: access, refresh_token: refresh } = tokensIn(person);
    const { status, stdout } = await person.client(`${issuer.url} logout`);
    expect([status, stdout]).toEqual([0, 'Signed out: the tokens are revoked.\n']);
    const revoked = issuer.forms.filter(({ path }) => path === '/revoke').map(({ fields }) => fields.token);
    expect(revoked.sort()).toEqual([access, refresh].sort());
    expect(person.files()).toEqual([]);
    expect(await person.client(`${issuer.url} logout`)).toMatchObject({ status: 0, stdout: 'Nobody is signed in.\n' });
  });

  it('CWE-532 tokens are not in the output, even if the server repeats them', async () => {
    await using issuer = await startIssuer();
    using person = await signedIn(issuer);
    issuer.answer = (token) => ({ content: [{ type: 'text', text: `your token is ${token}` }] });
    for (const line of [`${issuer.url} call roll`, `${issuer.url} call roll --json`]) {
      const { stdout } = await person.client(line);
      expect(stdout).toContain('your token is …');
    }
  });
});
