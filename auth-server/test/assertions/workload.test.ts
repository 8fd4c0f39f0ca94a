/** Proves that the JWT of a workload (RFC 7523) gives a token for a machine, by rules of the operator, and never that of a person. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { grantsCommands } from '../../src/cli/grants/grants.ts';
import { ASSERTION_GRANT } from '../../src/clients/client.ts';
import { localSubject } from '../../src/federation/subject.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { createSqliteStatusStore } from '../../src/storage/status/sqlite.ts';
import { commandsOn } from '../support/command-store.ts';
import { startEnterprise } from '../support/enterprise.ts';
import { form, ISSUER, MCP, read } from '../support/running-server.ts';
import { isMarkedInStore, referenceOf } from '../support/token-status.ts';
import { rulesFile, startWorkloads } from '../support/workloads.ts';

const refusedWith = (reason: string) => ({
  status: 400,
  error: 'invalid_grant',
  description: 'the assertion was refused',
  reason: expect.stringContaining(`: ${reason}: `),
  audited: expect.stringContaining(`: ${reason}: `),
});

const rule = (when: object, others: object = {}) => ({
  ...{ when, subject: 'deploy', client: 'ci', resource: MCP, scopes: ['mcp:tools'] },
  ...others,
});

describe('the JWT of a workload', () => {
  it('RFC 7523 §2.1 the JWT of a workload gives a short token for the subject of its rule, without a refresh token', async () => {
    await using workloads = await startWorkloads();
    const tokens = await read(await workloads.present(await workloads.jwt()));
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'mcp:tools' });
    expect(tokens).not.toHaveProperty('refresh_token');
    expect(decodeJwt(String(tokens.access_token))).toMatchObject({
      aud: MCP,
      client_id: 'ci',
      sub: 'workload:actions:deploy',
      status: { status_list: { idx: expect.any(Number) } },
    });
    expect(workloads.server.entries.findLast(({ event }) => event === 'token.issued')).toMatchObject({
      who: 'workload:actions:deploy',
      client: 'ci',
      details: { assertion: 'workload', issuer: 'actions', workload: 'repo:acme/app:ref:refs/heads/main' },
    });
  });

  it('RFC 8414 §2 the metadata names the grant, and no profile of identity providers', async () => {
    await using workloads = await startWorkloads();
    const metadata = await read(await workloads.server.fetch('/.well-known/oauth-authorization-server'));
    expect(metadata.grant_types_supported).toContain(ASSERTION_GRANT);
    expect(metadata).not.toHaveProperty('authorization_grant_profiles_supported');
  });

  it('RFC 9068 §5 the subject of a workload can never be that of a person: those are 43 characters without a colon', async () => {
    const person = localSubject({ issuer: 'https://idp.example', subject: 'alice' });
    expect(person).toMatch(/^[\w-]{43}$/);
    await using workloads = await startWorkloads({
      rules: [rule({ repository_owner: 'acme' }, { subject: person.toLowerCase().replace(/^[^a-z0-9]/, 'a') })],
    });
    const { access_token: access } = await read(await workloads.present(await workloads.jwt()));
    expect(decodeJwt(String(access)).sub).toMatch(/^workload:actions:/);
    // Nothing about a person is stored, and no claim about one is told.
    const claims = Object.keys(decodeJwt(String(access))).sort();
    expect(claims).toEqual(['aud', 'client_id', 'exp', 'iat', 'iss', 'jti', 'scope', 'status', 'sub']);
  });

  it('a workload gets what the first fitting rule says: by all of its claims, by beginnings, and by claims inside of claims', async () => {
    await using workloads = await startWorkloads({
      rules: [
        rule({ sub: 'repo:acme/app:*', environment: 'prod' }, { subject: 'prod', scopes: ['mcp:tools', 'mcp:admin'] }),
        rule({ sub: 'repo:acme/app:*' }, { subject: 'any-branch' }),
        rule({ 'kubernetes.io.namespace': 'jobs', 'kubernetes.io.serviceaccount.name': 'nightly' }, { subject: 'k8s' }),
        rule({ run_attempt: '1' }, { subject: 'number' }),
      ],
    });
    const subjectFor = async (claims: Record<string, unknown>) => {
      const { access_token: access } = await read(await workloads.present(await workloads.jwt(claims)));
      return decodeJwt(String(access)).sub;
    };
    expect(await subjectFor({ environment: 'prod' })).toBe('workload:actions:prod');
    expect(await subjectFor({ sub: 'repo:acme/app:pull_request' })).toBe('workload:actions:any-branch');
    const kubernetes = { namespace: 'jobs', serviceaccount: { name: 'nightly', uid: 'x' } };
    const sub = 'system:serviceaccount:jobs:nightly';
    expect(await subjectFor({ sub, 'kubernetes.io': kubernetes })).toBe('workload:actions:k8s');
    expect(await subjectFor({ sub: 'x', run_attempt: 1 })).toBe('workload:actions:number');
    const elsewhere = { ...kubernetes, namespace: 'default' };
    expect(await workloads.refused(await workloads.jwt({ sub, 'kubernetes.io': elsewhere }))).toEqual(
      refusedWith('rules'),
    );
  });

  it('RFC 6749 §3.3 a workload gets the requested scopes of its rule, and no others', async () => {
    await using workloads = await startWorkloads({
      rules: [rule({ repository_owner: 'acme' }, { scopes: ['mcp:tools', 'mcp:admin'] })],
    });
    const jwt = await workloads.jwt();
    expect((await read(await workloads.present(jwt))).scope).toBe('mcp:tools mcp:admin');
    expect((await read(await workloads.present(jwt, { scope: 'mcp:admin other' }))).scope).toBe('mcp:admin');
    expect(await workloads.refused(jwt, { scope: 'other' })).toMatchObject({ error: 'invalid_scope' });
  });

  it('RFC 7521 §4.1 a workload need not name its client: the rule does, and its client must have no secret', async () => {
    const other = { subject: 'other', client: 'other', resource: 'http://localhost:8081/mcp' };
    const secret = {
      client_id: 'secret',
      client_secret: 'a-secret-of-the-nightly-job',
      grant_types: [ASSERTION_GRANT],
    };
    await using workloads = await startWorkloads({
      rules: [
        rule({ repository_owner: 'acme' }),
        rule({ repository_owner: 'acme' }, other),
        rule({ repository_owner: 'beta' }, { client: 'secret' }),
      ],
      env: {
        RESOURCES: JSON.stringify([{ url: 'http://localhost:8080' }, { url: 'http://localhost:8081' }]),
        CLIENTS: JSON.stringify([
          ...['ci', 'other'].map((id) => ({ client_id: id, grant_types: [ASSERTION_GRANT] })),
          secret,
        ]),
      },
    });
    const ask = async (parameters: Record<string, string>, claims = {}) =>
      workloads.server.fetch(
        '/token',
        form({ grant_type: ASSERTION_GRANT, assertion: await workloads.jwt(claims), ...parameters }),
      );
    const clientOf = async (answer: Response) => decodeJwt(String((await read(answer)).access_token)).client_id;
    expect(await clientOf(await ask({}))).toBe('ci');
    expect(await clientOf(await ask({ resource: 'http://localhost:8081/mcp' }))).toBe('other');
    expect((await ask({}, { repository_owner: 'beta' })).status).toBe(401);
    expect((await ask({}, { repository_owner: 'evil' })).status).toBe(400);
    expect((await ask({ assertion: 'x' })).status).toBe(400);
    const forged = (await workloads.jwt()).replace(/.{4}$/, 'AAAA');
    expect(await read(await ask({ assertion: forged }))).toMatchObject({ error: 'invalid_grant' });
  });

  it('RFC 7523 §3.1 a workload without a client id is refused like one with a client id, and the log and the audit have the reason', async () => {
    await using workloads = await startWorkloads();
    const ask = async (assertion: string) =>
      workloads.server.fetch('/token', form({ grant_type: ASSERTION_GRANT, assertion }));
    for (const [assertion, reason] of [
      [await workloads.jwt({ repository_owner: 'evil' }), 'rules'],
      [await workloads.jwt({ iss: 'https://evil.example' }), 'issuer'],
      [(await workloads.jwt()).replace(/.{4}$/, 'AAAA'), 'signature'],
      ['x', 'malformed'],
    ] as const) {
      const answer = await ask(assertion);
      expect([answer.status, await read(answer)]).toEqual([
        400,
        { error: 'invalid_grant', error_description: 'the assertion was refused' },
      ]);
      const line = workloads.server.log.findLast(({ msg }) => msg === 'token request refused');
      expect(line).toMatchObject({ refusedAssertion: { reason } });
      expect(workloads.server.entries.findLast(({ event }) => event === 'token.refused')).toMatchObject({
        reason: expect.stringContaining(`: ${reason}: `),
      });
    }
  });

  it('RFC 8707 §2 a rule is for its client and its resource alone', async () => {
    await using workloads = await startWorkloads();
    const jwt = await workloads.jwt();
    expect((await workloads.present(jwt, { resource: 'http://localhost:8080' })).status).toBe(200);
    expect(await workloads.refused(jwt, { resource: 'https://other.example' })).toEqual(refusedWith('rules'));
    expect(await workloads.refused(jwt, { client_id: 'other' })).toEqual(refusedWith('rules'));
    expect(await workloads.refused(jwt, { client_id: 'nobody' })).toMatchObject({
      status: 401,
      error: 'invalid_client',
    });
  });

  it.each<readonly [title: string, claims: Record<string, unknown>, reason: string]>([
    ['of another repository', { sub: 'repo:acme-evil/app:ref:refs/heads/main' }, 'rules'],
    ['of another owner', { repository_owner: 'evil' }, 'rules'],
    ['without a claim of the rule', { repository_owner: undefined }, 'rules'],
    ['with a list where the rule has one value', { repository_owner: ['acme', 'evil'] }, 'rules'],
    ['without aud (RFC 7523 §3)', { aud: undefined }, 'aud'],
    ['for somebody else (RFC 7523 §3)', { aud: 'https://sts.example' }, 'aud'],
    ['for somebody else as well', { aud: [ISSUER, 'https://sts.example'] }, 'aud'],
    ['without sub (RFC 7523 §3)', { sub: undefined }, 'claims'],
    ['that has expired (RFC 7523 §3)', { iat: 1, exp: 2 }, 'times'],
    ['that is valid for longer than a day', { exp: Math.floor(Date.now() / 1000) + 100_000 }, 'times'],
    ['of an unknown issuer', { iss: 'https://evil.example' }, 'issuer'],
  ])('a JWT %s is refused', async (_title, claims, reason) => {
    await using workloads = await startWorkloads();
    expect(await workloads.refused(await workloads.jwt(claims))).toEqual(refusedWith(reason));
  });

  it.each<readonly [typ: string | undefined, reason: string]>([
    ['oauth-id-jag+jwt', 'issuer'],
    ['Oauth-Id-Jag+jwt', 'typ'],
    ['at+jwt', 'typ'],
    ['secevent+jwt', 'typ'],
    ['dpop+jwt', 'typ'],
  ])('RFC 8725 §3.11 a JWT with the typ %s is refused', async (typ, reason) => {
    await using workloads = await startWorkloads();
    expect(await workloads.refused(await workloads.jwt({}, { typ }))).toEqual(refusedWith(reason));
  });

  it('an issuer of workloads can sign no ID-JAG, and an identity provider no workload', async () => {
    await using workloads = await startWorkloads();
    await using enterprise = await startEnterprise({
      WORKLOAD_ISSUERS: 'actions',
      WORKLOAD_ISSUER_ACTIONS_ISSUER: workloads.platform.url,
      WORKLOAD_ISSUER_ACTIONS_RULES: rulesFile([rule({ sub: 'alice' }, { client: 'editor' })]),
    });
    const claims = { sub: 'alice', client_id: 'editor', resource: MCP };
    const idJag = await workloads.jwt(claims, { typ: 'oauth-id-jag+jwt' });
    expect(await enterprise.refused(idJag)).toEqual(refusedWith('issuer'));
    expect((await enterprise.present(await workloads.jwt(claims))).status).toBe(200);
    // And the identity provider identifies no workload.
    const idToken = await enterprise.idJag({}, { typ: 'JWT' });
    expect(await enterprise.refused(idToken)).toEqual(refusedWith('issuer'));
  });

  it('the log and the audit never contain the JWT of a workload, whether it is accepted or not', async () => {
    await using workloads = await startWorkloads();
    const jwts = [
      await workloads.jwt(),
      await workloads.jwt({ sub: 'x' }),
      await workloads.jwt({}, { kid: 'unknown' }),
    ];
    for (const jwt of jwts) await workloads.present(jwt);
    const written = JSON.stringify([workloads.server.log, workloads.server.entries]);
    for (const part of jwts.flatMap((jwt) => jwt.split('.'))) expect(written).not.toContain(part);
  });

  it('all tokens of a client have one status reference, so that they end with it, as those of a machine client', async () => {
    await using workloads = await startWorkloads();
    const [one, two] = [await workloads.present(await workloads.jwt()), await workloads.present(await workloads.jwt())];
    const references = await Promise.all(
      [one, two].map(async (answer) => decodeJwt(String((await read(answer)).access_token)).status),
    );
    expect(references[0], 'one reference for all tokens of the client').toEqual(references[1]);
  });

  it.each(['end --client ci --yes', 'end --before now --yes'])(
    'Token Status List §6.2 the tokens of workloads end by the command of the operator, and the next ones are good: grants %s',
    async (line) => {
      const clock = new FakeClock(Date.now());
      const statusStore = createSqliteStatusStore(':memory:', clock);
      const stores = { store: createSqliteStore(':memory:', clock), statusStore, clock };
      await using workloads = await startWorkloads({}, stores);
      const token = async () => (await read(await workloads.present(await workloads.jwt()))).access_token;
      const ended = await token();
      const CLIENTS = JSON.stringify([{ client_id: 'ci', grant_types: [ASSERTION_GRANT] }]);
      expect(await run(grantsCommands(commandsOn(stores)), line, { NODE_ENV: 'test', CLIENTS })).toMatchObject({
        status: 0,
      });
      const isMarked = (one: unknown) => isMarkedInStore(statusStore, referenceOf(one));
      expect([await isMarked(ended), await isMarked(await token())]).toEqual([true, false]);
    },
  );

  it('the JWT of a workload may have another audience than this server, if the operator says so', async () => {
    await using workloads = await startWorkloads({ env: { WORKLOAD_ISSUER_ACTIONS_AUDIENCE: 'mcp' } });
    expect((await workloads.present(await workloads.jwt({ aud: 'mcp' }))).status).toBe(200);
    expect(await workloads.refused(await workloads.jwt())).toEqual(refusedWith('aud'));
  });
});
