/** Proves which tokens count as the access token of a person: those of this server, typed so, whole, and valid now. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { MOST_ACTORS } from '../../src/exchange/actors.ts';
import { ExchangeRefused } from '../../src/exchange/refusal.ts';
import { createSubjectReader } from '../../src/exchange/subject-token.ts';
import { generateSigningKey } from '../../src/keys/signing-key.ts';
import { createTokenSigner } from '../../src/keys/token-signer.ts';

const ISSUER = 'https://auth.example';
const clock = new FakeClock();
const now = clock.now() / 1000;
const [current, older, foreign] = await Promise.all([
  generateSigningKey('ES256'),
  generateSigningKey('EdDSA'),
  generateSigningKey('ES256'),
]);
const read = createSubjectReader({ issuer: ISSUER, keys: [current, older], clock });

const status = { status_list: { idx: 3, uri: `${ISSUER}/status/abcdefghijklmnopqrstuv` } };
const claims = {
  iss: ISSUER,
  sub: 'alice',
  client_id: 'app',
  aud: 'https://mcp.example/mcp',
  scope: 'mcp:tools mcp:admin',
  iat: now - 10,
  exp: now + 60,
  status,
};
const sign = async (more: object = {}, { key = current, typ = 'at+jwt' } = {}) =>
  createTokenSigner(key, typ)({ ...claims, ...more });
const nested = (depth: number): object => ({ sub: `client-${depth}`, ...(depth > 1 && { act: nested(depth - 1) }) });
const reasonFor = async (token: string) => {
  const error = await read(token).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(ExchangeRefused);
  expect(error.error).toBe('invalid_request');
  expect(error.message).not.toContain(token.split('.')[1]);
  return error.message as string;
};

describe('RFC 9068 §4 a subject token', () => {
  it('a token of a current or an older key is read with person, client, audience, scopes and actors', async () => {
    for (const key of [current, older]) {
      expect(await read(await sign({ act: nested(2), cnf: { jkt: 'x' } }, { key }))).toEqual({
        accountId: 'alice',
        clientId: 'app',
        audience: 'https://mcp.example/mcp',
        scopes: ['mcp:tools', 'mcp:admin'],
        expiresAt: now + 60,
        actor: { sub: 'client-2', act: { sub: 'client-1' } },
        isBound: true,
        status: status.status_list,
      });
    }
  });

  it('the token of a chain acts for the client of its first token', async () => {
    const chained = await sign({ client_id: 'mcp-server', act: { sub: 'mcp-server' }, first_client_id: 'app' });
    expect((await read(chained)).clientId).toBe('app');
  });

  it.each<[string, object, object, string]>([
    ['another type', {}, { typ: 'JWT' }, 'typ'],
    ['the type of a status list', {}, { typ: 'statuslist+jwt' }, 'typ'],
    ['a key of somebody else', {}, { key: foreign }, 'no applicable key'],
    ['another issuer', { iss: 'https://other.example' }, {}, 'iss'],
    ['no issuer', { iss: undefined }, {}, 'iss'],
    ['an exp that has come', { exp: now }, {}, 'exp'],
    ['no exp', { exp: undefined }, {}, 'no exp'],
    ['an nbf to come', { nbf: now + 5 }, {}, 'nbf'],
    ['two audiences', { aud: ['https://mcp.example/mcp', 'https://b.example'] }, {}, 'no single audience'],
    ['no client', { client_id: undefined }, {}, 'no sub or client_id'],
    ['a machine as its subject', { sub: 'app' }, {}, 'a machine'],
    ['no status list', { status: undefined }, {}, 'no status list'],
    ['an act that is a text', { act: 'mcp-server' }, {}, 'too many clients'],
    ['an act without sub', { act: {} }, {}, 'too many clients'],
    ['more actors than any chain has', { act: nested(MOST_ACTORS + 1) }, {}, 'too many clients'],
  ])('a token with %s is refused', async (_, more, by, reason) => {
    expect(await reasonFor(await sign(more, by))).toContain(reason);
  });
});
