/**
 * Proves that no token or proof causes a server error (CWE-20): every member of every type, in tokens with the issuer's
 * signature, and in proofs of the client's own key.
 */
import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bearer, type Harness, PING, post, startHarness } from '../../support/http-harness.ts';
import { signText } from '../../support/issuer.ts';
import { ODD_VALUES, withMember } from '../../support/odd-values.ts';
import { type KeyHolder, keyHolder } from '../../support/proof.ts';

let server: Harness;
let client: KeyHolder;
beforeAll(async () => {
  [server, client] = await Promise.all([startHarness({ types: ['at+jwt', 'JWT'] }), keyHolder()]);
});
beforeEach(() => {
  server.log.length = 0;
});
afterAll(() => server[Symbol.asyncDispose]());

const HEADER = { alg: 'ES256', typ: 'at+jwt', kid: 'key-1' };

const HEADER_MEMBERS = [
  'alg', 'typ', 'kid', 'crit', 'b64', 'jwk', 'jku', 'x5u', 'x5c', 'x5t', 'cty', 'zip', 'enc', 'epk', 'p2c', 'nonce', '__proto__',
  'constructor', 'toString',
]; // biome-ignore format: one list

const CLAIMS = [
  'iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'azp', 'scope', 'scp', 'cnf', 'groups', 'act', 'may_act', 'auth_time',
  'entitlements', '__proto__', 'constructor', 'toString', 'then',
]; // biome-ignore format: one list

const PROOF_CLAIMS = [
  'jti',
  'htm',
  'htu',
  'iat',
  'ath',
  'nonce',
  'exp',
  'nbf',
  'iss',
  'aud',
  'sub',
  '__proto__',
  'then',
];
const KEY_MEMBERS = [
  'kty',
  'crv',
  'x',
  'y',
  'd',
  'k',
  'n',
  'e',
  'kid',
  'use',
  'alg',
  'key_ops',
  'ext',
  'oth',
  '__proto__',
];

/** Sends them all; each gets an answer other than a server error, and the log has no stack. */
async function answers(tokens: readonly string[], send: (token: string) => Promise<Response>): Promise<number[]> {
  const statuses: number[] = [];
  for (const token of tokens) {
    const { status } = await send(token);
    if (status >= 500)
      expect
        .soft(status, Buffer.from(token.split('.').slice(0, 2).join('.'), 'base64url').toString().slice(0, 600))
        .toBe(401);
    statuses.push(status);
  }
  expect(server.log.filter((line) => /"stack"|"level":"(error|fatal)"/.test(line))).toEqual([]);
  expect(statuses).toHaveLength(tokens.length);
  return statuses;
}

const asBearer = (token: string) => server.fetch('/mcp', post(token, PING));

const signAll = (headers: readonly string[], payloads: readonly string[]): Promise<string[]> =>
  Promise.all(headers.flatMap((header) => payloads.map((payload) => signText(header, payload, server.key.privateKey))));

describe('RFC 7515 §4.1 a member of the header of a token', () => {
  it.each(HEADER_MEMBERS)('any value of %s causes no server error', async (name) => {
    const headers = ODD_VALUES.flatMap((value) => withMember(HEADER, name, value));
    await answers(await signAll(headers, [JSON.stringify(server.claims())]), asBearer);
  });

  it.each([
    ['typ', ['null', '5', '{}', '[]', '["at+jwt"]', 'true']],
    ['alg', ['null', '5', '["ES256"]', '{}', '"none"', '"es256"', '"HS256"', '""']],
    ['kid', ['5', '{}', '["key-1"]', 'true']],
    ['crit', ['null', '5', '[]', '"b64"', '["exp"]', '["alg"]', '["b64"]', '[""]', '[5]', '["b64","b64"]', '{}']],
  ])('a header member %s of the wrong type is refused', async (name, values) => {
    const headers = values.flatMap((value) => withMember(HEADER, name, value).slice(0, 2));
    const statuses = await answers(await signAll(headers, [JSON.stringify(server.claims())]), asBearer);
    expect(new Set(statuses)).toEqual(new Set([401]));
  });

  it.each(['true', 'false', '1', 'null'])(
    'RFC 7797 §7 b64 that is critical (%s) is refused: a JWT does not use it',
    async (b64) => {
      const header = `{"alg":"ES256","typ":"at+jwt","kid":"key-1","crit":["b64"],"b64":${b64}}`;
      const plain = [header, JSON.stringify(server.claims())];
      const statuses = await answers(await signAll([plain[0] ?? ''], [plain[1] ?? '']), asBearer);
      expect(statuses[0]).toBe(b64 === 'true' ? 200 : 401);
    },
  );
});

describe('RFC 7519 §4.1, RFC 9068 §2.2 a claim of a token', () => {
  it.each(CLAIMS)('any value of the claim %s causes no server error', async (name) => {
    const payloads = ODD_VALUES.flatMap((value) => withMember(server.claims(), name, value));
    await answers(await signAll([JSON.stringify(HEADER)], payloads), asBearer);
  });

  it.each([
    ['sub', ['null', '5', '""', '[]', '["person-1"]', '{}', '"\\ud800"']],
    ['client_id', ['5', '""', '[]', '{}', '"\\udc00"']],
    ['exp', ['null', '"9999999999"', '[]', '1e400', '{}', 'true']],
    ['iat', ['null', '"1"', '1e400', '[]']],
    ['nbf', ['null', '"1"', '1e400', '[]']],
    ['iss', ['null', '5', '[]', '{}', '""']],
    ['aud', ['null', '5', '[]', '{}', '[null]', '""', '[["x"]]']],
    ['cnf', ['null', '5', '"x"', '[]', '{}', '{"jkt":5}', '{"jkt":""}', '{"x5t#S256":"x"}']],
  ])('a claim %s of the wrong type is refused', async (name, values) => {
    const payloads = values.flatMap((value) => withMember(server.claims(), name, value).slice(0, 2));
    const statuses = await answers(await signAll([JSON.stringify(HEADER)], payloads), asBearer);
    expect(new Set(statuses)).toEqual(new Set([401]));
  });

  it.each([['scope'], ['scp']])('a claim %s that is neither text nor a list grants nothing', async (name) => {
    const { scope: _, ...claims } = server.claims();
    const values = [
      'null',
      '5',
      'true',
      '{}',
      '{"toString":1,"valueOf":2}',
      '[[ "mcp:tools" ]]',
      '[{"x":"mcp:tools"}]',
    ];
    const payloads = values.flatMap((value) => withMember(claims, name, value));
    const statuses = await answers(await signAll([JSON.stringify(HEADER)], payloads), asBearer);
    expect(new Set(statuses)).toEqual(new Set([403]));
  });
});

describe('RFC 7515 §3.1 the parts of a token', () => {
  it('token parts of any JSON, or of none, are refused', async () => {
    const texts = [
      ...ODD_VALUES,
      '',
      '{',
      '{"alg":"ES256"',
      '\u0000',
      '\ufeff{}',
      '{"alg":"ES256",}',
      "{'alg':'ES256'}",
    ];
    const good = [JSON.stringify(HEADER), JSON.stringify(server.claims())] as const;
    const tokens = [...(await signAll(texts, [good[1]])), ...(await signAll([good[0]], texts))];
    expect(new Set(await answers(tokens, asBearer))).toEqual(new Set([401]));
  });

  it('token parts that are truncated, joined or reordered are refused', async () => {
    const [header = '', payload = '', signature = ''] = (await server.token()).split('.');
    const tokens = [
      '.', '..', '...', `${header}.`, `${header}..`, `${header}.${payload}`, `${header}.${payload}.`, `.${payload}.${signature}`,
      `${header}.${payload}.${signature}.`, `${header}.${payload}.${signature}.${signature}.${signature}`, `${payload}.${header}.${signature}`,
      `${header}.${payload}.${signature}=`, `${header}.${payload}.${signature}A`, `=${header}.${payload}.${signature}`, '~', '=', '-', '+/=',
    ]; // biome-ignore format: one list
    expect(new Set(await answers(tokens, asBearer))).toEqual(new Set([401]));
  });
});

describe('RFC 9449 §4.2 a member of a proof', () => {
  const proofHeader = () => ({ typ: 'dpop+jwt', alg: 'ES256', jwk: client.publicJwk });
  const proofClaims = (token: string) => ({
    jti: randomUUID(), htm: 'POST', htu: `${server.url}/mcp`, iat: server.clock.now() / 1000,
    ath: createHash('sha256').update(token).digest('base64url'),
  }); // biome-ignore format: one list

  async function prove(
    change: (header: object, claims: object) => readonly (readonly [string, string])[],
  ): Promise<number[]> {
    const token = await server.token({ cnf: { jkt: client.thumbprint } });
    const pairs = change(proofHeader(), proofClaims(token));
    const proofs = await Promise.all(pairs.map(([header, claims]) => signText(header, claims, client.privateKey)));
    return answers(proofs, (dpop) =>
      server.fetch('/mcp', post('', PING, { ...bearer(''), authorization: `DPoP ${token}`, dpop })),
    );
  }

  it.each(HEADER_MEMBERS)('any value of the proof header %s causes no server error', async (name) => {
    await prove((header, claims) =>
      ODD_VALUES.flatMap((value) => withMember({ ...header }, name, value)).map((text) => [
        text,
        JSON.stringify(claims),
      ]),
    );
  });

  it.each(PROOF_CLAIMS)('any value of the proof claim %s causes no server error', async (name) => {
    await prove((header, claims) =>
      ODD_VALUES.flatMap((value) => withMember({ ...claims }, name, value)).map((text) => [
        JSON.stringify(header),
        text,
      ]),
    );
  });

  it.each(KEY_MEMBERS)("any value of the proof key's %s causes no server error", async (name) => {
    await prove((header, claims) =>
      ODD_VALUES.flatMap((value) => withMember({ ...client.publicJwk }, name, value)).map((jwk) => [
        withMember({ ...header }, 'jwk', jwk)[0] ?? '',
        JSON.stringify(claims),
      ]),
    );
  });

  it('proof parts of any JSON, or of none, are refused', async () => {
    const statuses = await prove((header, claims) => [
      ...ODD_VALUES.map((text) => [text, JSON.stringify(claims)] as const),
      ...ODD_VALUES.map((text) => [JSON.stringify(header), text] as const),
    ]);
    expect(new Set(statuses)).toEqual(new Set([401]));
  });
});
