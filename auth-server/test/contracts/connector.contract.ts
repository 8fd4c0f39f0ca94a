/** Owns the contract of every kind of connector, run against a real HTTP stand-in of its upstream. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Connector, LoginChecks, UpstreamReason } from '../../src/federation/connector.ts';

/** How a stand-in fails when a code is redeemed. */
export type Fault = 'server error' | 'garbage' | 'refused code' | 'no access token' | 'short access token' | 'silence';

export interface StandIn extends AsyncDisposable {
  readonly connector: Connector;
  readonly issuer: string;
  /** The subject of its person. */
  readonly subject: string;
  /** Plays the browser: follows `target` as the person and returns the URL to which the upstream redirects. */
  signIn(target: URL): Promise<URL>;
  /** The PKCE verifier that came with the last code. */
  readonly redeemedWith: () => string | undefined;
  fail(fault: Fault | undefined): void;
  /** Makes it name this address of its person without saying that it is verified. */
  nameUnverified(email: string): void;
  /** Stops its server. */
  stop(): Promise<void>;
}

export const CALLBACK = 'https://auth.example.com/callback/upstream';

export const checks: LoginChecks = {
  state: 'state-of-this-login',
  nonce: 'nonce-of-this-login',
  codeVerifier: 'verifier-of-this-login-that-is-43-characters-long',
};

const answerWith = (members: Record<string, string>) => new URL(`${CALLBACK}?${new URLSearchParams(members)}`);

/** @param start a fresh stand-in, whose connector has this timeout in seconds */
export function connectorContract(kind: string, start: (timeout: number) => Promise<StandIn>): void {
  const begin = (fault?: Fault) => start(fault === 'silence' ? 2 : 60);
  const rejectsWith = async (work: Promise<unknown>, reason: UpstreamReason) =>
    expect(await work.catch((error: unknown) => error)).toMatchObject({ name: 'UpstreamError', reason });

  describe(`${kind}: the connector contract`, () => {
    it('RFC 7636 §4.3 a connector sends state and an S256 challenge, and redeems the code with the verifier', async () => {
      await using upstream = await begin();
      const target = await upstream.connector.begin(checks);
      const challenge = createHash('sha256').update(checks.codeVerifier).digest('base64url');
      expect(Object.fromEntries(target.searchParams)).toMatchObject({
        response_type: 'code', redirect_uri: CALLBACK, state: checks.state, code_challenge: challenge, code_challenge_method: 'S256',
      }); // biome-ignore format: one row
      const { identity } = await upstream.connector.finish(await upstream.signIn(target), checks);
      expect(identity).toMatchObject({ issuer: upstream.issuer, subject: upstream.subject });
      expect(upstream.redeemedWith()).toBe(checks.codeVerifier);
    });

    const signIn = async ({ connector, signIn }: StandIn) =>
      (await connector.finish(await signIn(await connector.begin(checks)), checks)).identity;

    it('an identity has the claims of the person, and no secret of the sign-in among them', async () => {
      await using upstream = await begin();
      const { claims } = await signIn(upstream);
      expect(JSON.stringify(claims)).toContain(upstream.subject);
      for (const secret of Object.values(checks)) expect(JSON.stringify(claims)).not.toContain(secret);
    });

    it('OpenID Connect Core §5.7 an e-mail address that the upstream does not verify is never among the verified ones', async () => {
      await using upstream = await begin();
      upstream.nameUnverified('victim@example.com');
      const identity = await signIn(upstream);
      expect(identity).toMatchObject({ verifiedEmails: [], unverifiedEmail: 'victim@example.com' });
      expect([identity.email, identity.domains ?? []]).toEqual([undefined, []]);
    });

    it('OpenID Connect Core §3.1.2.1 a person who wants another account is asked for it at the upstream', async () => {
      await using upstream = await begin();
      const promptOf = (target: URL) => target.searchParams.get('prompt');
      expect(promptOf(await upstream.connector.begin(checks))).toBeNull();
      const chosen = await upstream.connector.begin(checks, { selectAccount: true });
      expect(['select_account', 'login']).toContain(promptOf(chosen));
    });

    it.each([
      ['RFC 6749 §4.1.2.1 access_denied', { state: checks.state, error: 'access_denied' }, 'denied'],
      ['an error it never heard of', { state: checks.state, error: 'something_else' }, 'denied'],
      ['temporarily_unavailable', { state: checks.state, error: 'temporarily_unavailable' }, 'unavailable'],
      ['RFC 6749 §10.12 a foreign state', { state: 'of-another-login', code: 'code' }, 'invalid_answer'],
      ['no state', { code: 'code' }, 'invalid_answer'],
      ['an error with a foreign state', { state: 'of-another-login', error: 'access_denied' }, 'invalid_answer'],
      [
        'RFC 9207 §2.4 another issuer',
        { state: checks.state, code: 'code', iss: 'https://evil.example' },
        'invalid_answer',
      ],
      ['no code', { state: checks.state }, 'invalid_answer'],
      ['a forged code', { state: checks.state, code: 'forged' }, 'invalid_answer'],
    ] as const)('a connector refuses an answer with %s', async (_, members, reason) => {
      await using upstream = await begin();
      await rejectsWith(upstream.connector.finish(answerWith(members), checks), reason);
    });

    it.each([
      ['server error', 'unavailable'],
      ['silence', 'unavailable'],
      ['garbage', 'invalid_answer'],
      ['refused code', 'invalid_answer'],
      ['no access token', 'invalid_answer'],
    ] as const)('a connector reports a failure when the code is answered with %s', async (fault, reason) => {
      await using upstream = await begin(fault);
      const answer = await upstream.signIn(await upstream.connector.begin(checks));
      upstream.fail(fault);
      await rejectsWith(upstream.connector.finish(answer, checks), reason);
    });

    it('predecessor 1, hole 5: an access token of three characters is accepted', async () => {
      await using upstream = await begin();
      const answer = await upstream.signIn(await upstream.connector.begin(checks));
      upstream.fail('short access token');
      expect(await upstream.connector.finish(answer, checks)).toMatchObject({
        identity: { subject: upstream.subject },
      });
    });

    it('a connector reports unavailable when the upstream has gone down', async () => {
      await using upstream = await begin();
      const answer = await upstream.signIn(await upstream.connector.begin(checks));
      await upstream.stop();
      await rejectsWith(upstream.connector.finish(answer, checks), 'unavailable');
    });
  });
}
