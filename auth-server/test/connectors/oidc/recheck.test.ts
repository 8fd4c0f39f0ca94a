/** Proves that an OpenID provider is asked again about a person, and what each of its answers means. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import type { Connector, UpstreamError, UpstreamSession } from '../../../src/federation/connector.ts';
import { checks } from '../../contracts/connector.contract.ts';
import { metadata, open, type Play, sign, start } from '../../support/oidc-stand-in.ts';
import { Reply } from '../../support/upstream-stand-in.ts';

interface Asked {
  readonly play: Play;
  readonly connector: Connector;
  /** The session of the sign-in. */
  readonly session: UpstreamSession;
  readonly clock: FakeClock;
  /** Refresh tokens that the provider has received. */
  readonly used: string[];
  /** Sessions that the connector has handed over before it went on. */
  readonly renewed: UpstreamSession[];
  /** The answer to the next refresh token. */
  answer: (claims: Record<string, unknown>) => unknown;
  recheck(session?: UpstreamSession, signal?: AbortSignal): ReturnType<NonNullable<Connector['recheck']>>;
}

/** A person who has signed in. @param members of the token response of the sign-in */
async function signedIn(
  members: object,
  work: (asked: Asked) => Promise<void>,
  { claims = {}, ...context }: Parameters<typeof open>[2] & { claims?: Play['claims'] } = {},
): Promise<void> {
  await using play = await start();
  const clock = new FakeClock(Date.now());
  const connector = open(play.issuer, {}, { clock, ...context });
  const [used, renewed]: [string[], UpstreamSession[]] = [[], []];
  play.members = members as Play['members'];
  play.claims = claims;
  const code = play.stage.routes.get('/token');
  play.stage.routes.set('/token', async (form, request) => {
    if (form.get('grant_type') !== 'refresh_token') return code?.(form, request);
    used.push(form.get('refresh_token') ?? '');
    const now = Math.floor(clock.now() / 1000);
    return asked.answer({ iss: play.issuer, sub: play.subject, aud: 'client', iat: now, exp: now + 60 });
  });
  const { session = {} } = await connector.finish(await play.signIn(await connector.begin(checks)), checks);
  const renew = async (session: UpstreamSession) => void renewed.push(session);
  const asked: Asked = {
    play, connector, session, clock, used, renewed,
    answer: async (claims) => ({ access_token: 'fresh', token_type: 'Bearer', expires_in: 300, id_token: await sign(claims) }),
    recheck: async (with_ = session, signal = new AbortController().signal) => {
      if (!connector.recheck) throw new Error('it cannot be asked');
      return connector.recheck(with_, renew, signal);
    },
  }; // biome-ignore format: one row
  await work(asked);
}

const OFFLINE = { refresh_token: 'refresh-1', expires_in: 300 };
const failure = (work: Promise<unknown>): Promise<UpstreamError> =>
  work.then(() => expect.fail('it was accepted'), (error) => error); // biome-ignore format: short

describe('OpenID Connect Core §12 a refresh token', () => {
  it('OpenID Connect Core §12.1 the claims of a new id token are those of the person', () =>
    signedIn(OFFLINE, async (asked) => {
      const usual = asked.answer;
      asked.answer = (claims) => usual({ ...claims, groups: ['ops'], name: 'Alice' });
      const { identity, session } = await asked.recheck();
      expect(identity).toMatchObject({ subject: asked.play.subject, name: 'Alice', memberships: { group: ['ops'] } });
      expect(session).toMatchObject({ refreshToken: 'refresh-1', accessToken: 'fresh', idToken: { groups: ['ops'] } });
      expect(asked.used).toEqual(['refresh-1']);
    }));

  it('RFC 6749 §6 a rotated refresh token is handed over before userinfo is asked, and is the next one', () =>
    signedIn(
      OFFLINE,
      async (asked) => {
        const usual = asked.answer;
        asked.answer = async (claims) => ({ ...((await usual(claims)) as object), refresh_token: 'refresh-2' });
        asked.play.stage.routes.set('/userinfo', () => new Reply(503, {}));
        expect(await failure(asked.recheck())).toMatchObject({ reason: 'unavailable' });
        expect(asked.renewed).toMatchObject([{ refreshToken: 'refresh-2' }]);
        asked.play.stage.routes.set('/userinfo', () => ({ sub: asked.play.subject, groups: ['ops'] }));
        const { session } = await asked.recheck(asked.renewed[0]);
        expect(session?.refreshToken).toBe('refresh-2');
        expect(asked.used).toEqual(['refresh-1', 'refresh-2']);
      },
      { needs: new Set(['group'] as const), claims: { groups: [] } },
    ));

  it('OpenID Connect Core §12.2 an answer without an id token is completed by userinfo', () =>
    signedIn(OFFLINE, async (asked) => {
      asked.answer = () => ({ access_token: 'fresh', token_type: 'Bearer' });
      asked.play.stage.routes.set('/userinfo', () => ({ sub: asked.play.subject, groups: ['ops'] }));
      expect((await asked.recheck()).identity.memberships).toEqual({ group: ['ops'] });
      asked.play.stage.routes.set('/userinfo', () => ({ sub: asked.play.subject }));
      expect((await asked.recheck()).identity.memberships).toEqual({});
    }));

  it.each([
    ['a refresh without an id token', OFFLINE],
    ['userinfo alone', { expires_in: 300 }],
  ])('OpenID Connect Core §5.3 after %s userinfo is newer than the id token of the sign-in', (_, members) =>
    signedIn(
      members,
      async (asked) => {
        asked.answer = () => ({ access_token: 'fresh', token_type: 'Bearer' });
        const now = { groups: ['guests'], email: 'a@new.example', hd: 'other.example', locale: null };
        asked.play.stage.routes.set('/userinfo', () => ({ sub: asked.play.subject, ...now }));
        const { identity } = await asked.recheck();
        expect(identity.memberships).toEqual({ group: ['guests'] });
        // The flag of the id token was about the old address.
        expect(identity).toMatchObject({ verifiedEmails: [], unverifiedEmail: 'a@new.example' });
        expect(identity.claims).toMatchObject({ hd: 'example.com', locale: 'de', tier: '1' });
      },
      {
        needs: new Set(['group'] as const),
        claims: {
          groups: ['ops'],
          email: 'a@old.example',
          email_verified: true,
          hd: 'example.com',
          locale: 'de',
          tier: '1',
        },
      },
    ),
  );

  it.each([
    ['another subject', { sub: 'mallory' }, 'denied', 'sub'],
    ['another audience', { aud: 'other' }, 'invalid_answer', 'aud'],
    ['a further audience', { aud: ['client', 'other'], azp: 'client' }, 'invalid_answer', 'aud'],
    ['another issuer', { iss: 'https://evil.example' }, 'invalid_answer', 'iss'],
    ['another nonce', { nonce: 'of another sign-in' }, 'invalid_answer', 'nonce'],
    ['the time of an earlier answer', { iat: Math.floor(Date.now() / 1000) - 3_600 }, 'invalid_answer', 'iat'],
    ['an end in the past', { exp: 1 }, 'invalid_answer', 'exp'],
  ] as const)('OpenID Connect Core §12.2 a new id token with %s is refused', (_, change, reason, claim) =>
    signedIn(OFFLINE, async (asked) => {
      const usual = asked.answer;
      asked.answer = (claims) => usual({ ...claims, ...change });
      expect(await failure(asked.recheck())).toMatchObject({ reason, facts: { claim } });
    }),
  );

  it('OpenID Connect Core §12.2 a new id token may have the nonce of the sign-in, also after one without', () =>
    signedIn(OFFLINE, async (asked) => {
      const usual = asked.answer;
      const { session } = await asked.recheck();
      asked.answer = (claims) => usual({ ...claims, nonce: checks.nonce });
      expect(await asked.recheck(session)).toMatchObject({ identity: { subject: asked.play.subject } });
    }));

  it.each([
    ['Keycloak: a disabled person', { error: 'invalid_grant', error_description: 'User disabled' }, 'denied'],
    ['Entra: a disabled person', { error: 'invalid_grant', error_description: 'AADSTS50057: The user account is disabled.' }, 'denied'],
    ['Entra: no such account', { error: 'invalid_grant', error_description: 'AADSTS50034: The user account does not exist.' }, 'denied'],
    ['Entra: a withdrawn consent', { error: 'invalid_grant', error_description: 'AADSTS65001: The user has not consented.' }, 'denied'],
    ['Entra: no role in the app', { error: 'invalid_grant', error_description: 'AADSTS50105: …' }, 'denied'],
    ['Auth0: a blocked person', { error: 'unauthorized', error_description: 'user is blocked' }, 'denied'],
    ['RFC 6749 §4.1.2.1 access_denied', { error: 'access_denied' }, 'denied'],
    ['a withdrawn consent', { error: 'consent_required' }, 'denied'],
    ['Keycloak: an idle session', { error: 'invalid_grant', error_description: 'Session not active' }, 'ended'],
    ['Entra: an idle token', { error: 'invalid_grant', error_description: 'AADSTS700082: The refresh token has expired due to inactivity.' }, 'ended'],
    ['Google: expired or revoked', { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' }, 'ended'],
    ['RFC 6749 §5.2 invalid_grant', { error: 'invalid_grant' }, 'ended'],
    ['a second factor', { error: 'interaction_required' }, 'ended'],
    ['RFC 6749 §5.2 invalid_client', { error: 'invalid_client' }, 'unavailable'],
    ['RFC 6749 §5.2 invalid_scope', { error: 'invalid_scope' }, 'misconfigured'],
  ] as const)('the answer to a refresh token: %s', (_, body, reason) =>
    signedIn(OFFLINE, async (asked) => {
      asked.answer = () => new Reply(400, body);
      const error = await failure(asked.recheck());
      expect(error).toMatchObject({ reason, facts: { upstreamError: body.error } });
      expect(error.message, 'no code was sent').not.toMatch(/\bcode\b/);
    }),
  ); // biome-ignore format: one row for each answer

  it('an outage is unavailable', () =>
    signedIn(OFFLINE, async (asked) => {
      asked.answer = () => new Reply(502, '<html>');
      expect(await failure(asked.recheck())).toMatchObject({ reason: 'unavailable' });
      await asked.play.stop();
      expect(await failure(asked.recheck())).toMatchObject({ reason: 'unavailable' });
    }));
});

describe('a question that takes too long', () => {
  it.each(['/token', '/userinfo'])(
    'a request to %s that takes too long is closed, and the provider counts as unavailable',
    (path) =>
      signedIn(OFFLINE, async (asked) => {
        const question = new AbortController();
        const closed = Promise.withResolvers<void>();
        asked.answer = () => ({ access_token: 'fresh', token_type: 'Bearer' });
        asked.play.stage.routes.set(path, (_, { socket }) => {
          socket.once('close', closed.resolve);
          question.abort();
          return new Promise(() => {});
        });
        const { reason, message } = await failure(asked.recheck(asked.session, question.signal));
        expect([reason, message]).toEqual([
          'unavailable',
          expect.stringMatching(`${path} .* before the question was ended`),
        ]);
        await closed.promise;
      }),
  );
});

describe('OpenID Connect Core §5.3 userinfo, where there is no refresh token', () => {
  const ONLINE = { expires_in: 300 };

  it('userinfo is asked with the access token of the sign-in, and completes the id token', () =>
    signedIn(ONLINE, async (asked) => {
      let bearer: string | undefined;
      asked.play.stage.routes.set('/userinfo', (_, { headers }) => {
        bearer = headers.authorization;
        return { sub: asked.play.subject, groups: ['ops'] };
      });
      const { identity, session } = await asked.recheck();
      expect(identity.memberships).toEqual({ group: ['ops'] });
      expect(session).toEqual(asked.session);
      expect(bearer).toBe('Bearer 1234567890');
    }));

  it.each([
    ['401', new Reply(401, {}, { 'www-authenticate': 'Bearer error="invalid_token"' }), 'ended'],
    ['401 without a challenge', new Reply(401, {}), 'ended'],
    ['403', new Reply(403, {}), 'ended'],
    ['an outage', new Reply(503, {}), 'unavailable'],
    ['another subject', { sub: 'mallory' }, 'invalid_answer'],
    ['text', new Reply(200, 'hello'), 'invalid_answer'],
  ] as const)('RFC 6750 §3.1 the answer of userinfo: %s', (_, body, reason) =>
    signedIn(ONLINE, async (asked) => {
      asked.play.stage.routes.set('/userinfo', () => body);
      expect(await failure(asked.recheck())).toMatchObject({ reason });
    }),
  );

  it('an access token whose end is unknown is not kept, and neither is one that nothing can be asked with', async () => {
    await signedIn({}, async ({ session }) => expect(session).not.toHaveProperty('accessToken'));
    await using play = await start();
    play.members = ONLINE;
    const { userinfo_endpoint, ...rest } = metadata(play.issuer);
    play.stage.routes.set('/.well-known/openid-configuration', () => rest);
    const { session } = await play.connector.finish(await play.signIn(await play.connector.begin(checks)), checks);
    expect(session).not.toHaveProperty('accessToken');
  });
});

describe('a sign-in keeps for later', () => {
  it.each([
    ['as they should be', { refresh_token: 'r', expires_in: 60 }, { refreshToken: 'r', accessToken: '1234567890' }],
    ['a lifetime as text', { refresh_token: 'r', expires_in: '60' }, { refreshToken: 'r', accessToken: '1234567890' }],
    ['a lifetime that is none', { refresh_token: 'r', expires_in: -1 }, { refreshToken: 'r' }],
    ['a refresh token that is none', { refresh_token: null }, { refreshToken: undefined }],
  ])('RFC 6749 §5.1 a token response with %s', (_, members, expected) =>
    signedIn(members, async ({ session }) => expect(session).toMatchObject(expected)),
  );

  it('Front-Channel Logout §3 the session id of the provider is kept, and the picture is not', async () => {
    await using play = await start();
    play.members = OFFLINE;
    play.claims = { sid: 's-1', picture: 'data:image/png;base64,' };
    const { session } = await play.connector.finish(await play.signIn(await play.connector.begin(checks)), checks);
    expect(session).toMatchObject({ sid: 's-1', idToken: { sub: play.subject } });
    expect(session?.idToken).not.toHaveProperty('picture');
  });

  it.each([
    ['scope', 'openid profile email offline_access', null, null],
    ['consent', 'openid profile email offline_access', null, 'consent'],
    ['access_type', 'openid profile email', 'offline', null],
    ['off', 'openid profile email', null, null],
  ] as const)('OpenID Connect Core §11 OFFLINE_ACCESS=%s', async (offlineAccess, scope, accessType, prompt) => {
    await using play = await start();
    const { searchParams } = await open(play.issuer, { offlineAccess }).begin(checks);
    const sent = ['scope', 'access_type', 'prompt'].map((name) => searchParams.get(name));
    expect(sent).toEqual([scope, accessType, prompt]);
  });

  it('OpenID Connect Core §11, §3.1.2.1 OFFLINE_ACCESS=consent is kept when a person chooses another account', async () => {
    await using play = await start();
    const request = await open(play.issuer, { offlineAccess: 'consent' }).begin(checks, { selectAccount: true });
    expect(request.searchParams.get('prompt')).toBe('login consent');
  });
});
