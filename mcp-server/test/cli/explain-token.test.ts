/**
 * Proves that `explain-token` says of a token what the server with the same settings says to the client: accepted, or refused with the
 * same reason and setting, for every reason that a token can have.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TokenReason } from '../../src/authorization/token-error.ts';
import { checkOf, explain, refusedIn, tell } from '../support/explained-token.ts';
import { type Foreign, type ForeignServer, startForeign, startServer } from '../support/foreign.ts';
import { type SigningKey, signingKey, signToken } from '../support/issuer.ts';

let corp: Foreign;
let away: Foreign;
let other: SigningKey;
let server: ForeignServer;
let settings: Record<string, string>;
beforeAll(async () => {
  [corp, away, other] = await Promise.all([startForeign(), startForeign(), signingKey('key-1', 'RS256')]);
  away.issuer.up = false;
  settings = {
    ISSUERS: 'corp,away',
    ISSUER_CORP_URL: corp.issuer.url,
    ISSUER_CORP_TOKEN_REQUIRED_CLAIMS: 'tid=ours',
    ISSUER_CORP_TOKEN_TYPES: 'at+jwt,JWT',
    ISSUER_AWAY_URL: away.issuer.url,
  };
  server = await startServer(settings);
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await Promise.all([corp.issuer.close(), away.issuer.close()]);
});

const inSeconds = (seconds: number) => server.clock.now() / 1000 + seconds;
const claims = (more: object = {}) => ({
  iss: corp.issuer.url,
  aud: `${server.url}/mcp`,
  sub: 'ada',
  client_id: 'desk',
  scope: 'mcp:tools',
  tid: 'ours',
  exp: inSeconds(600),
  ...more,
});
const sign = (more: object = {}, header: object = {}, key = corp.key) =>
  signToken({ key, claims: claims(more), header });

describe('explain-token of a token that is accepted', () => {
  it('explain-token ticks each check, and says whose the token is and which tools it may call', async () => {
    const token = await sign({ iat: inSeconds(-5) });
    const { status, stdout, stderr } = await explain(server, settings, { token });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).not.toMatch(/[✗·]/);
    expect(stdout).toContain(`✓ issuer: ${corp.issuer.url}\n`);
    expect(stdout).toContain('✓ subject: ada\n✓ client: desk\n✓ scope: mcp:tools\n✓ tools: ');
    expect(stdout).toMatch(/tools: .*whoami.*\n {4}note: not with these scopes: .*server_status \(mcp:admin\)/);
    expect(stdout).toContain(`Accepted: ${server.url}/mcp lets ada in until 2026-01-01T00:10:00.000Z.`);
    expect(await server.whoami(token)).toMatchObject({ subject: 'ada' });
  });

  it('explain-token --json has whose, for whom, until when and with which scopes', async () => {
    const told = await tell(server, settings, await sign({ scope: 'mcp:tools mcp:admin' }));
    expect(told).toMatchObject({
      status: 0,
      accepted: true,
      resource: `${server.url}/mcp`,
      turn: [],
      token: {
        issuer: corp.issuer.url,
        subject: 'ada',
        client: 'desk',
        until: '2026-01-01T00:10:00.000Z',
        scopes: ['mcp:tools', 'mcp:admin'],
        needsProof: false,
      },
    });
    expect(checkOf(told, 'tools')?.note).toBeUndefined();
  });

  it('RFC 9449 §6.1 explain-token says that a bound token needs a proof', async () => {
    const told = await tell(server, settings, await sign({ cnf: { jkt: 'thumbprint-of-a-key' } }));
    expect(told).toMatchObject({ status: 0, token: { needsProof: true } });
    expect(checkOf(told, 'binding')).toMatchObject({
      found: 'to the key thumbprint-of-a-key',
      note: expect.stringContaining('needs a DPoP proof'),
    });
  });

  it('RFC 7518 §3.1 explain-token checks every algorithm that can be accepted', async () => {
    for (const algorithm of ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'RS256', 'RS384', 'RS512']) {
      const key = await signingKey(`key-${algorithm}`, algorithm);
      corp.issuer.keys.push(key.publicJwk);
      const all = { ...settings, ISSUER_CORP_TOKEN_ALGORITHMS: algorithm };
      expect(await tell(server, all, await sign({}, {}, key)), algorithm).toMatchObject({ status: 0 });
    }
  });

  it('RFC 6750 §2.1 explain-token reads a token that was copied with its header and line end', async () => {
    expect(await tell(server, settings, `Authorization: Bearer ${await sign()}\r\n`)).toMatchObject({ status: 0 });
  });
});

interface Refused {
  readonly token: () => Promise<string>;
  readonly check: string;
  readonly setting?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly found?: string;
  readonly turn?: readonly string[];
  readonly signature?: 'accepted' | 'unchecked';
}

/** A fault of a proof, and faults of opaque tokens and of status lists, which have tests of their own. */
type OfOthers =
  | 'bound_to_another_key'
  | 'inactive'
  | 'introspection_unavailable'
  | 'too_many_unknown'
  | 'revoked'
  | 'status_unavailable';
type Reason = Exclude<TokenReason, OfOthers> | 'insufficient_scope';

const EACH: Readonly<Record<Reason, Refused>> = {
  malformed: { token: async () => 'opaque-token-of-thirty-characters', check: 'form' },
  algorithm: {
    token: async () => unsigned('HS256'),
    check: 'algorithm',
    setting: 'ISSUER_CORP_TOKEN_ALGORITHMS',
    found: 'HS256',
    signature: 'unchecked',
  },
  wrong_type: {
    token: () => sign({}, { typ: 'logout+jwt' }),
    check: 'type',
    setting: 'ISSUER_CORP_TOKEN_TYPES',
    found: 'logout+jwt',
    signature: 'unchecked',
  },
  unknown_key: {
    token: () => sign({}, { kid: 'key-2' }),
    check: 'signature',
    setting: 'ISSUER_CORP_URL',
    found: 'key-2',
  },
  bad_signature: { token: () => sign({}, {}, other), check: 'signature' },
  keys_unavailable: {
    token: () => sign({ iss: away.issuer.url }, {}, away.key),
    check: 'signature',
    setting: 'ISSUER_AWAY_URL',
  },
  wrong_issuer: {
    token: () => sign({ iss: `${corp.issuer.url}/` }),
    check: 'issuer',
    setting: 'ISSUERS',
    signature: 'unchecked',
  },
  wrong_audience: {
    token: () => sign({ aud: 'https://other.example' }),
    check: 'audience',
    setting: 'ISSUER_CORP_AUDIENCES',
    found: 'https://other.example',
  },
  no_audience: {
    token: () => sign({ aud: undefined }),
    check: 'audience',
    setting: 'ISSUER_CORP_AUDIENCES, ISSUER_CORP_AUDIENCE_CLAIM',
  },
  expired: {
    token: () => sign({ exp: inSeconds(-60) }),
    check: 'expiry',
    setting: 'ISSUER_CORP_CLOCK_TOLERANCE',
    found: '2025-12-31T23:59:00.000Z',
  },
  not_yet_valid: {
    token: () => sign({ nbf: inSeconds(60) }),
    check: 'start',
    setting: 'ISSUER_CORP_CLOCK_TOLERANCE',
  },
  missing_claim: {
    token: () => sign({ client_id: undefined }),
    check: 'client',
    setting: 'ISSUER_CORP_TOKEN_CLIENT_CLAIMS',
  },
  wrong_claim: {
    token: () => sign({ tid: 'theirs' }),
    check: 'required claims',
    setting: 'ISSUER_CORP_TOKEN_REQUIRED_CLAIMS',
    found: 'theirs',
  },
  not_an_access_token: {
    token: () => sign({ at_hash: 'a-hash' }, { typ: 'JWT' }),
    check: 'kind',
    turn: ['issuer'],
  },
  sender_constrained: {
    token: () => sign({ cnf: { 'x5t#S256': 'a-certificate' } }),
    check: 'binding',
    turn: ['issuer'],
  },
  wrong_status: {
    token: () => sign({ status: { status_list: { idx: 1, uri: 'https://elsewhere.example/status/1' } } }),
    check: 'status',
    setting: 'ISSUER_CORP_STATUS_LIST_ORIGINS',
    found: 'https://elsewhere.example/status/1',
  },
  not_bound: { token: () => sign(), check: 'binding', env: { DPOP_REQUIRED: 'true' }, setting: 'DPOP_REQUIRED' },
  insufficient_scope: { token: () => sign({ scope: 'files:read' }), check: 'scope', setting: 'BASE_SCOPE' },
};

const unsigned = (alg: string) =>
  [{ alg, typ: 'at+jwt' }, claims(), 'not-the-right-signature']
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');

describe('explain-token of a token that is refused', () => {
  it.each(Object.entries(EACH))('explain-token names %s as the server does, with its mend', async (reason, wanted) => {
    const { check, setting, env = {}, found, turn = ['issuer', 'operator'], signature = 'accepted' } = wanted;
    const token = await wanted.token();
    const told = await tell(server, { ...settings, ...env }, token);
    expect(told).toMatchObject({ status: 1, accepted: false, turn });
    expect(told.token).toBeUndefined();
    const [refused, ...others] = refusedIn(told);
    expect(others).toEqual([]);
    expect(refused).toMatchObject({ check, reason, meaning: expect.any(String), there: expect.any(String) });
    expect(refused?.setting).toBe(setting);
    if (found) expect(refused?.found).toBe(found);
    if (!['form', 'signature'].includes(check)) expect(checkOf(told, 'signature')?.result).toBe(signature);
    const strict = Object.keys(env).length > 0 ? await startServer({ ...settings, ...env }) : undefined;
    expect(await (strict ?? server).whoami(token)).toMatchObject({ reason });
    await strict?.[Symbol.asyncDispose]();
  });

  it('explain-token finds all faults of a token, and not only the first', async () => {
    const token = await sign(
      {
        aud: ['https://a.example', 'https://b.example'],
        tid: 'theirs',
        exp: inSeconds(-60),
        sub: undefined,
        scope: 'x',
      },
      { typ: 'other' },
    );
    const told = await tell(server, settings, token);
    expect(refusedIn(told).map(({ reason }) => reason)).toEqual([
      'wrong_type',
      'expired',
      'wrong_audience',
      'wrong_claim',
      'missing_claim',
      'insufficient_scope',
    ]);
    expect(checkOf(told, 'audience')).toMatchObject({ found: 'https://a.example, https://b.example' });
    expect(checkOf(told, 'client')).toMatchObject({ result: 'accepted', found: 'desk' });
    const { stdout } = await explain(server, settings, { token });
    expect(stdout).not.toContain('stand-in');
    expect(stdout).toMatch(
      /\nRefused: it is the turn of the operator of the issuer .*, or of the operator of this server/,
    );
  });

  it('explain-token checks the rest of a token of another issuer where there is one issuer', async () => {
    const one = { ISSUER: corp.issuer.url };
    const told = await tell(server, one, await sign({ iss: 'https://old.example', aud: 'x' }));
    expect(refusedIn(told)).toMatchObject([
      { check: 'issuer', expected: corp.issuer.url, found: 'https://old.example', setting: 'ISSUER' },
      { check: 'audience', setting: 'AUDIENCES', here: expect.stringContaining('Name in AUDIENCES') },
    ]);
    expect(checkOf(told, 'subject')).toMatchObject({ found: 'ada' });
  });

  it('explain-token says that nothing more was checked where several issuers are possible', async () => {
    const told = await tell(server, settings, await sign({ iss: 'https://old.example', aud: 'x' }));
    expect(told.checks.map(({ check }) => check)).toEqual(['form', 'issuer', 'signature']);
    expect(checkOf(told, 'issuer')?.note).toContain('was not checked');
  });

  it('explain-token names the claim that stands for the audience', async () => {
    const named = { ...settings, ISSUER_CORP_AUDIENCE_CLAIM: 'client_id=desk' };
    const token = await sign({ aud: undefined });
    expect(checkOf(await tell(server, named, token), 'audience')).toMatchObject({ found: 'client_id=desk' });
    const another = await tell(server, named, await sign({ aud: undefined, client_id: 'other' }));
    expect(refusedIn(another)).toMatchObject([{ claim: 'client_id', setting: 'ISSUER_CORP_AUDIENCE_CLAIM' }]);
  });

  it('explain-token says why the keys of an issuer cannot be read', async () => {
    const told = await tell(server, settings, await sign({ iss: away.issuer.url, aud: 'x' }, {}, away.key));
    expect(refusedIn(told)).toMatchObject([{ found: expect.stringContaining('500') }, { check: 'audience' }]);
  });

  it('CWE-150 explain-token writes no control characters of a token to the terminal', async () => {
    const { stdout } = await explain(server, settings, { token: await sign({ aud: 'a\u001b[2Jb' }) });
    expect(stdout).toContain('audience: a?[2Jb');
  });
});
