/**
 * Fuzzes what mcp-server verifies: tokens with the issuer's own signature, proofs with a client's, and unsigned values.
 */
import { createHash, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { it } from 'vitest';
import { signText } from '../../mcp-server/test/support/issuer.ts';
import { type KeyHolder, keyHolder } from '../../mcp-server/test/support/proof.ts';
import { fuzz } from './fuzz.ts';
import { type McpTarget, openMcp, statusOf } from './targets.ts';
import { headerValue, oddJson, oddObject, oddText } from './values.ts';

const HEADER = { alg: 'ES256', typ: 'at+jwt', kid: 'key-1' };
const HEADER_NAMES = ['alg', 'typ', 'kid', 'crit', 'b64', 'jwk', 'jku', 'x5c', 'x5u', 'cty', 'zip', 'enc', '__proto__'];
const CLAIM_NAMES = [
  'iss',
  'sub',
  'aud',
  'exp',
  'nbf',
  'iat',
  'jti',
  'client_id',
  'azp',
  'scope',
  'scp',
  'cnf',
  'groups',
  'preferred_username',
  'org',
  'roles',
  'email',
  'name',
  '__proto__',
];
const PROOF_NAMES = ['jti', 'htm', 'htu', 'iat', 'ath', 'nonce', 'exp', 'nbf', 'iss', 'aud', '__proto__'];
const PING = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });

const call = (url: string, headers: Record<string, string>): Promise<number> =>
  statusOf(
    fetch(`${url}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
      body: PING,
    }),
  );

/** The parts as text, by what is odd about them; `undefined` is the valid one. */
const parts = fc.oneof(
  fc.record({ header: oddObject(HEADER, HEADER_NAMES), claims: fc.constant(undefined) }),
  fc.record({ header: fc.constant(undefined), claims: fc.array(fc.tuple(fc.constantFrom(...CLAIM_NAMES), oddJson), { minLength: 1, maxLength: 4 }) }),
  fc.record({ header: oddJson, claims: fc.constant(undefined) }),
); // biome-ignore format: one list

/** Valid members as text, with odd ones after them: of duplicate names the last one counts. */
const withOdd = (members: object, odd: readonly (readonly [string, string])[] = []): string =>
  `${JSON.stringify(members).slice(0, -1)}${odd.map(([name, value]) => `,${JSON.stringify(name)}:${value}`).join('')}}`;

it('RFC 9068 §4 signed tokens with odd content cause no server error', () =>
  fuzz({
    name: 'signed tokens',
    share: 2_500,
    open: () => openMcp(),
    inputs: parts,
    send: async (on, { header = JSON.stringify(HEADER), claims }) => {
      const token = await signText(header, withOdd(on.claims(), claims), on.key.privateKey);
      return [await call(on.url, { authorization: `Bearer ${token}` })];
    },
  }));

it('RFC 6750 §2.1 odd Authorization headers cause no server error', () =>
  fuzz({
    name: 'unsigned tokens',
    share: 1_100,
    open: () => openMcp(),
    inputs: fc.tuple(
      fc.constantFrom('Bearer', 'bearer', 'BEARER', 'DPoP', 'Basic', 'Bearer Bearer', ''),
      fc.oneof(
        headerValue,
        fc.base64String().map((text) => `${text}.${text}.${text}`),
        fc
          .tuple(oddText, oddText)
          .map((texts) => texts.map((text) => Buffer.from(text).toString('base64url')).join('.')),
      ),
    ),
    send: async (on, [scheme, rest]) => {
      const authorization = `${scheme} ${rest}`.replace(/[^\t\x20-\x7e\x80-\xff]/g, '');
      return [await call(on.url, { authorization })];
    },
  }));

type Bound = McpTarget & { readonly client: KeyHolder; readonly bound: string };

async function openBound(): Promise<Bound> {
  const [target, client] = await Promise.all([openMcp(), keyHolder()]);
  return Object.assign(target, { client, bound: await target.token({ cnf: { jkt: client.thumbprint } }) });
}

it('RFC 9449 §4.3 odd proofs cause no server error', () =>
  fuzz<[string, string][], Bound>({
    name: 'proofs',
    share: 1_500,
    open: openBound,
    inputs: fc.array(
      fc.tuple(fc.constantFrom(...PROOF_NAMES, 'header.typ', 'header.alg', 'header.jwk', 'header.crit'), oddJson),
      { minLength: 1, maxLength: 3 },
    ),
    send: async ({ client, bound, url }, odd) => {
      const ath = createHash('sha256').update(bound).digest('base64url');
      const claims = { jti: randomUUID(), htm: 'POST', htu: `${url}/mcp`, iat: Math.floor(Date.now() / 1000), ath };
      const inHeader = odd.flatMap(([name, value]) =>
        name.startsWith('header.') ? [[name.slice(7), value] as const] : [],
      );
      const inClaims = odd.filter(([name]) => !name.startsWith('header.'));
      const header = withOdd({ typ: 'dpop+jwt', alg: 'ES256', jwk: client.publicJwk }, inHeader);
      const dpop = await signText(header, withOdd(claims, inClaims), client.privateKey);
      return [await call(url, { authorization: `DPoP ${bound}`, dpop })];
    },
  }));
