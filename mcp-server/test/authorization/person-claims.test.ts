/**
 * Proves what a tool learns about its caller from a checked token (RFC 9068 §2.2.2, §2.2.3.1): claims of any issuer, read over real
 * HTTP, where an unusable value counts as absent and never refuses a token.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PersonClaims, personClaimsOf } from '../../src/authorization/person-claims.ts';
import type { Principal } from '../../src/authorization/principal.ts';
import { type Harness, PING, post, startHarness } from '../support/http-harness.ts';
import { ODD_VALUES } from '../support/odd-values.ts';

let server: Harness;
const callers: Principal[] = [];
beforeAll(async () => {
  server = await startHarness({
    streamable: ({ res, principal }) => {
      callers.push(principal);
      res.end('{}');
    },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

/** The claims in the principal of a request with this token. */
async function seen(token: string): Promise<PersonClaims | undefined> {
  callers.length = 0;
  expect((await server.fetch('/mcp', post(token, PING))).status).toBe(200);
  return callers[0]?.claims;
}
const claimsFor = async (claims: Readonly<Record<string, unknown>>) => seen(await server.token(claims));

describe('the claims of a principal', () => {
  it('RFC 9068 §2.2.2 a principal has the claims of the token, under the names of their settings', async () => {
    const claims = {
      name: 'Ada Lovelace',
      preferred_username: 'ada',
      email: 'ada@example.com',
      groups: ['ops', 'staff'],
      roles: ['admin'],
      org: 'acme',
      phone_number: '+1',
    };
    const { preferred_username: username, phone_number: _, ...others } = claims;
    expect(await claimsFor(claims)).toEqual({ ...others, username });
  });

  it('a token without such claims gives an empty object, the same for every token', async () => {
    const [one, other] = [await claimsFor({}), await claimsFor({ sub: 'person-2' })];
    expect(one).toEqual({});
    expect(other).toBe(one);
  });

  it('a cached token gives the same object again, and no tool can change it for others', async () => {
    const token = await server.token({ groups: ['ops'], name: 'Ada' });
    const claims = await seen(token);
    expect(await seen(token)).toBe(claims);
    expect([Object.isFrozen(claims), Object.isFrozen(claims?.groups), Object.isFrozen(callers[0])]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it.each([
    [
      'a text for a list, as some issuers send a single value',
      { groups: 'ops', roles: 'admin' },
      { groups: ['ops'], roles: ['admin'] },
    ],
    ['entries that are not text', { groups: ['ops', 7, null, { value: 'x' }, ''] }, { groups: ['ops'] }],
    ['empty lists', { groups: [], roles: [] }, { groups: [], roles: [] }],
    ['other types', { name: 7, email: ['a@b.example'], groups: { ops: true }, roles: null, org: {} }, {}],
    ['empty texts', { name: '', preferred_username: '', email: '', org: '' }, {}],
    ['half of a character', { name: '\ud800' }, {}],
    ['a text that is too long', { name: 'x'.repeat(1_025), org: 'x'.repeat(1_024) }, { org: 'x'.repeat(1_024) }],
    ['an address that the issuer does not verify', { email: 'a@b.example', email_verified: false }, {}],
    ['the same as text', { email: 'a@b.example', email_verified: 'false' }, {}],
    ['a verified address', { email: 'a@b.example', email_verified: true }, { email: 'a@b.example' }],
  ])('OpenID Connect Core §5.1 %s', async (_, claims, expected) => {
    expect(await claimsFor(claims)).toEqual(expected);
  });

  it('a list that is too long is dropped whole, because a part of it would be false', () => {
    const of = (length: number) => personClaimsOf({ groups: Array<string>(length).fill('x') }).groups?.length;
    expect([of(5_000), of(5_001)]).toEqual([5_000, undefined]);
  });

  it('a claim of any value is read without an exception, as text or as a list of texts', () => {
    const odd = fc.oneof(
      fc.anything(),
      fc.constantFrom(...ODD_VALUES.filter((text) => !text.includes('1e400'))).map((text) => JSON.parse(text)),
    );
    fc.assert(
      fc.property(odd, (value) => {
        const { groups, roles, ...texts } = personClaimsOf({
          name: value, preferred_username: value, email: value, email_verified: value, groups: value, roles: value, org: value,
        }); // biome-ignore format: one list
        for (const text of Object.values(texts)) expect(typeof text).toBe('string');
        for (const list of [groups, roles]) expect(list?.every((one) => typeof one === 'string') ?? true).toBe(true);
      }),
    );
  });
});
