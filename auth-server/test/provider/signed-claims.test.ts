/**
 * Proves that every JWT of a client gets the answer of the standard, whatever its claims are (RFC 7523 §3, RFC 9449
 * §4.3), and is accepted once while it is valid (RFC 9449 §11.1).
 */
import { systemClock } from '@mcp-oauth/shared/clock';
import { CompactSign, exportJWK, generateKeyPair } from 'jose';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { form, ISSUER, type RunningServer, read, startServer } from '../support/running-server.ts';
import { STORES, storesOf } from '../support/stores.ts';

const pair = await generateKeyPair('ES256');
const jwk = await exportJWK(pair.publicKey);
const keyed = {
  client_id: 'keyed',
  grant_types: ['client_credentials'],
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [{ ...jwk, kid: 'k', alg: 'ES256' }] },
};

/** Members as JSON text, since JSON has numbers that JavaScript cannot hold. */
type Claims = Readonly<Record<string, string>>;

const sign = (claims: Claims, header: object): Promise<string> => {
  const members = Object.entries(claims).map(([name, text]) => `${JSON.stringify(name)}:${text}`);
  return new CompactSign(Buffer.from(`{${members}}`))
    .setProtectedHeader({ alg: 'ES256', ...header })
    .sign(pair.privateKey);
};
/** A time in seconds from now. */
const at = (seconds: number): string => String(Math.floor(Date.now() / 1000) + seconds);
const text = JSON.stringify;

const assertion = (odd: Claims = {}) => {
  const parties = { iss: text('keyed'), sub: text('keyed'), aud: text(ISSUER) };
  return sign({ ...parties, jti: text(crypto.randomUUID()), iat: at(0), exp: at(60), ...odd }, { kid: 'k' });
};
const proof = (odd: Claims = {}) =>
  sign(
    { htm: text('POST'), htu: text(`${ISSUER}/token`), jti: text(crypto.randomUUID()), iat: at(0), ...odd },
    { typ: 'dpop+jwt', jwk },
  );

let server: RunningServer;

async function token(assertion: string, dpop?: string): Promise<readonly unknown[]> {
  const parameters = {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  };
  const answer = await server.fetch('/token', {
    ...form(parameters),
    ...(dpop !== undefined && { headers: { dpop } }),
  });
  return [answer.status, (await read(answer)).error];
}

const GOOD = [200, undefined];
const BAD_CLIENT = [401, 'invalid_client'];
const BAD_PROOF = [400, 'invalid_dpop_proof'];

/** JSON text, or a time in seconds from now. */
type Value = string | number;

const claim = (value: Value): string => (typeof value === 'number' ? at(value) : value);
const cases = (values: Readonly<Record<string, readonly Value[]>>) =>
  Object.entries(values).flatMap(([name, all]) => all.map((value) => [name, value] as const));

const ODD: readonly Value[] = ['"soon"', '""', '{}', '[]', '[1]', 'null', 'true'];

const GOOD_ASSERTIONS = cases({
  exp: [59.5, 3_599.5],
  iat: [0.5, '-1', '1e300', '1e999'],
  nbf: ['0', -0.5, '-1e300'],
  jti: ['"\\ud800"', text('x'.repeat(9_000))],
});
const BAD_ASSERTIONS = cases({
  exp: [...ODD, '0', '-1', -60.5, 3_700.5, '1e300', '1e999', '9007199254740993'],
  iat: ODD,
  nbf: [...ODD, 59.5, '1e999'],
  jti: [...ODD.slice(1), '1.5'],
  iss: ['1.5', ...ODD],
  aud: ['1.5', ...ODD],
});
const GOOD_PROOFS = cases({
  iat: [-0.5, 250.5, -250.5],
  nbf: [-0.5],
  exp: [59.5],
  jti: ['"\\ud801"', text('x'.repeat(6_000))],
});
const BAD_PROOFS = cases({
  iat: [...ODD, '0', '-1', 301.5, -301.5, '1e300', '1e999'],
  nbf: [...ODD, 59.5],
  exp: [...ODD, '0', -60.5],
  jti: [...ODD.slice(1), '1.5'],
  nonce: ['1.5', ...ODD],
});

describe.each(STORES)('on %s', (kind) => {
  const open = storesOf(kind);
  beforeEach(async () => {
    // A value just outside a limit must stay outside, however long the test takes.
    vi.useFakeTimers({ toFake: ['Date'] });
    server = await startServer({ store: await open(systemClock), env: { CLIENTS: text([keyed]) } });
    return async () => {
      await server[Symbol.asyncDispose]();
      vi.useRealTimers();
    };
  });

  it.each(GOOD_ASSERTIONS)('RFC 7519 §2 an assertion may have a %s of %s, and is valid once', async (name, value) => {
    const odd = await assertion({ [name]: claim(value) });
    expect(await token(odd)).toEqual(GOOD);
    expect(await token(odd)).toEqual(BAD_CLIENT);
  });

  it.each(BAD_ASSERTIONS)('RFC 7523 §3 an assertion with a %s of %s is refused', async (name, value) => {
    expect(await token(await assertion({ [name]: claim(value) }))).toEqual(BAD_CLIENT);
  });

  it.each(GOOD_PROOFS)('RFC 9449 §4.3 a proof may have a %s of %s, and is valid once', async (name, value) => {
    const odd = await proof({ [name]: claim(value) });
    expect(await token(await assertion(), odd)).toEqual(GOOD);
    expect(await token(await assertion(), odd)).toEqual([400, 'invalid_grant']);
  });

  it.each(BAD_PROOFS)('RFC 9449 §4.3 a proof with a %s of %s is refused', async (name, value) => {
    expect(await token(await assertion(), await proof({ [name]: claim(value) }))).toEqual(BAD_PROOF);
  });
});

it('RFC 9449 §11.1 a proof dated ahead is remembered for as long as it would be accepted', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  await using mine = await startServer({ env: { CLIENTS: text([keyed]) } });
  server = mine;
  const ahead = await proof({ iat: at(300) });
  expect(await token(await assertion(), ahead)).toEqual(GOOD);
  for (const seconds of [300, 300]) {
    vi.setSystemTime(Date.now() + seconds * 1000);
    expect(await token(await assertion(), ahead)).toEqual([400, 'invalid_grant']);
  }
});
