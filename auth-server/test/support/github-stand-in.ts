/** Owns GitHub in a test: tokens and REST API over real HTTP, with answers that a test can change. */
import github from '../../src/connectors/github.connector.ts';
import type { RuleType } from '../../src/federation/connector.ts';
import { CALLBACK, checks, type StandIn } from '../contracts/connector.contract.ts';
import { createStage, type Route, type Stage } from './upstream-stand-in.ts';

export const TOKEN_PATH = '/login/oauth/access_token';

export const person = { id: 583231, login: 'octocat', name: 'The Octocat' };
export const addresses = [
  { email: 'old@example.com', primary: false, verified: true },
  { email: 'octocat@example.com', primary: true, verified: true },
];

export const open = (url: string, timeout = 60, needs?: ReadonlySet<RuleType>) =>
  github.open(
    { clientId: 'client', clientSecret: 'secret', baseUrl: url, apiUrl: `${url}/api/v3`, timeout },
    { callbackUrl: CALLBACK, fetch, needs },
  );

const redeem =
  (stage: () => Stage, seen: (form: URLSearchParams) => void): Route =>
  (form) => {
    seen(form);
    if (stage().fault === 'refused code' || form.get('code') !== 'good') return { error: 'bad_verification_code' };
    if (stage().fault === 'no access token') return { token_type: 'bearer' };
    return { access_token: stage().fault === 'short access token' ? 'abc' : 'gho_1234567890', token_type: 'bearer' };
  };

export async function start(
  timeout?: number,
  needs?: ReadonlySet<RuleType>,
): Promise<StandIn & { readonly stage: Stage }> {
  const stage = await createStage(TOKEN_PATH);
  let redeemed: URLSearchParams | undefined;
  stage.routes.set(TOKEN_PATH, redeem(() => stage, (form) => { redeemed = form; })); // biome-ignore format: short
  stage.routes.set('/api/v3/user', (_, { headers }) => (headers['user-agent'] ? person : undefined));
  stage.routes.set('/api/v3/user/emails', () => addresses);
  return {
    stage,
    connector: open(stage.url, timeout, needs),
    issuer: stage.url,
    subject: '583231',
    signIn: async ({ searchParams }) => new URL(`${CALLBACK}?code=good&state=${searchParams.get('state')}`),
    redeemedWith: () => redeemed?.get('code_verifier') ?? undefined,
    nameUnverified: (email) => {
      stage.routes.set('/api/v3/user/emails', () => [{ email, primary: true, verified: false }]);
    },
    fail: (fault) => {
      stage.fault = fault;
    },
    stop: () => stage.close(),
    [Symbol.asyncDispose]: () => stage.close(),
  };
}

/** One sign-in from the authorization request to the identity. @param change the answers of GitHub */
export async function signIn(change: (stage: Stage) => void, needs?: readonly RuleType[]) {
  await using upstream = await start(undefined, new Set(needs));
  change(upstream.stage);
  const page = await upstream.connector.begin(checks);
  return (await upstream.connector.finish(await upstream.signIn(page), checks)).identity;
}
