/** Proves that a signed introspection answer (RFC 9701) is accepted only from the issuer, for this server, and fresh. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ForeignServer, startServer } from '../support/foreign.ts';
import {
  type AskedIssuer,
  activeAnswer,
  CLIENT,
  signedAnswer,
  startAskedIssuer,
} from '../support/introspection-server.ts';
import { signingKey } from '../support/issuer.ts';

let issuer: AskedIssuer;
let server: ForeignServer;
beforeEach(async () => {
  issuer = await startAskedIssuer();
  server = await startServer({ ...issuer.settings, INTROSPECTION: 'signed' });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await issuer.close();
});

const active = (more: object = {}) => activeAnswer(server, more);
const claims = (more: object = {}) => ({
  iss: issuer.url,
  aud: CLIENT.id,
  iat: server.clock.now() / 1000,
  token_introspection: active(),
  ...more,
});

describe('a signed introspection answer (RFC 9701)', () => {
  it('RFC 9701 §4 §5 this server asks for it, and judges what it says as without a signature', async () => {
    issuer.known.set('opaque', await signedAnswer(issuer.key, claims()));
    expect(await server.whoami('opaque')).toMatchObject({ subject: 'ada', issuer: issuer.url });
    expect(issuer.questions[0]?.headers.accept).toBe('application/token-introspection+jwt');
    const answers: [string, object][] = [
      ['wrong_audience', active({ aud: 'https://other.example' })],
      ['inactive', { active: false }],
    ];
    for (const [reason, token_introspection] of answers) {
      issuer.known.set(reason, await signedAnswer(issuer.key, claims({ token_introspection })));
      expect(await server.whoami(reason)).toMatchObject({ status: 401, reason });
    }
  });

  it.each<[string, () => object, object?]>([
    ['of another issuer', () => ({ iss: 'https://other.example' })],
    ['without an issuer', () => ({ iss: undefined })],
    ['for another resource server', () => ({ aud: 'another' })],
    ['for nobody', () => ({ aud: undefined })],
    ['from two minutes ago', () => ({ iat: server.clock.now() / 1000 - 120 })],
    ['without a time', () => ({ iat: undefined })],
    ['without the claim token_introspection', () => ({ token_introspection: undefined, ...active() })],
    ['with "true" in text', () => ({ token_introspection: active({ active: 'true' }) })],
    ['of the type of an access token', () => ({}), { typ: 'at+jwt' }],
    ['of no type', () => ({}), { typ: undefined }],
  ])('RFC 9701 §8 an answer %s is not used', async (_what, more, header) => {
    issuer.known.set('opaque', await signedAnswer(issuer.key, claims(more()), header));
    expect(await server.whoami('opaque')).toMatchObject({ status: 503, reason: 'introspection_unavailable' });
  });

  it('RFC 9701 §5 an answer by another key, or by a secret, is not used', async () => {
    const other = await signingKey('key-1');
    issuer.known.set('other', await signedAnswer(other, claims()));
    const secret = { ...issuer.key, algorithm: 'HS256', privateKey: Buffer.from(issuer.key.publicPem) as never };
    issuer.known.set('secret', await signedAnswer(secret, claims()));
    for (const token of ['other', 'secret']) expect(await server.whoami(token)).toMatchObject({ status: 503 });
  });

  it('with INTROSPECTION=signed an answer without a signature is not used', async () => {
    issuer.known.set('opaque', active());
    expect(await server.whoami('opaque')).toMatchObject({ status: 503, reason: 'introspection_unavailable' });
  });

  it('RFC 9701 §7 with INTROSPECTION=on an issuer that announces signed answers is asked for either', async () => {
    await server[Symbol.asyncDispose]();
    server = await startServer(issuer.settings);
    issuer.metadata = { ...issuer.metadata, introspection_signing_alg_values_supported: ['ES256'] };
    issuer.known.set('signed', await signedAnswer(issuer.key, claims()));
    issuer.known.set('plain', active());
    issuer.known.set('forged', await signedAnswer(await signingKey('key-1'), claims()));
    expect(await server.whoami('signed')).toMatchObject({ subject: 'ada' });
    expect(await server.whoami('plain')).toMatchObject({ subject: 'ada' });
    expect(await server.whoami('forged')).toMatchObject({ status: 503 });
    expect(issuer.questions[0]?.headers.accept).toBe('application/token-introspection+jwt, application/json;q=0.5');
  });
});
