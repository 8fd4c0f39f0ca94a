/**
 * Proves that a userinfo response as a JWT is accepted only with a valid signature (OpenID Connect Core 1.0 §5.3.2).
 */
import { generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { shown, sign, signIn } from '../../support/oidc-stand-in.ts';
import { Reply } from '../../support/upstream-stand-in.ts';

const SUBJECT = 'opaque|0001/ü';
const said = { sub: SUBJECT, name: 'Alice', email: 'alice@example.com', email_verified: true };

const signInWith = (token: (issuer: string) => Promise<string>, status = 200) =>
  signIn(({ stage, issuer }) =>
    stage.routes.set(
      '/userinfo',
      async () => new Reply(status, await token(issuer), { 'content-type': 'application/jwt' }),
    ),
  );

describe('OpenID Connect Core §5.3.2 userinfo as a JWT', () => {
  it.each([
    ['no issuer and no audience', () => ({})],
    ['both', (iss: string) => ({ iss, aud: 'client' })],
    ['several audiences', (iss: string) => ({ iss, aud: ['other', 'client'] })],
  ])('signed userinfo with %s adds to the id token', async (_, more) => {
    const identity = await signInWith((issuer) => sign({ ...said, ...more(issuer) }));
    expect(identity).toMatchObject({ subject: SUBJECT, name: 'Alice', email: 'alice@example.com' });
  });

  it.each([
    ['another key signed', async () => forged(said)],
    ['nobody signed', async () => `${btoa('{"alg":"none"}').replaceAll('=', '')}.${btoa(JSON.stringify({ sub: '1' })).replaceAll('=', '')}.`],
    ['is of another issuer', () => sign({ ...said, iss: 'https://evil.example' })],
    ['is for another client', () => sign({ ...said, aud: 'other' })],
    ['is about another person', () => sign({ ...said, sub: 'somebody else' })],
    ['is encrypted', async () => 'a.b.c.d.e'],
    ['is none', async () => '{}'],
  ])('signed userinfo adds nothing, and does not stop the sign-in, where it %s', async (_, token) => {
    expect(shown(await signInWith(token))).toEqual({ issuer: expect.any(String), subject: SUBJECT });
  }); // biome-ignore format: one row each

  it('signed userinfo in an error answer adds nothing', async () => {
    expect(shown(await signInWith(() => sign(said), 403))).toEqual({ issuer: expect.any(String), subject: SUBJECT });
  });
});

const forged = async (claims: JWTPayload) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: '1' }).sign((await generateKeyPair('RS256')).privateKey);
