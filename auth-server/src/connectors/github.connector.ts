/**
 * Owns sign-in with GitHub and GitHub Enterprise, which speak plain OAuth 2.0 (RFC 6749 §4.1): a numeric id instead of a subject, and
 * e-mail addresses, organisations and teams at endpoints of their own, which are asked only if a rule needs them.
 */
import { createHash } from 'node:crypto';
import { systemClock } from '@mcp-oauth/shared/clock';
import { setting, type Values } from '@mcp-oauth/shared/settings/config';
import { duration, text, url } from '@mcp-oauth/shared/settings/types';
import { readAnswer } from '../federation/answer.ts';
import {
  type BeginOptions,
  type ConnectorContext,
  defineConnector,
  type LoginChecks,
  UpstreamError,
} from '../federation/connector.ts';
import { sanitized } from '../federation/failure.ts';
import { httpsOnly } from '../federation/upstream/https-only.ts';
import { createUpstreamFetch, endingWith } from '../federation/upstream/upstream-fetch.ts';
import { createApi, type GithubApi, type Listed, redeem } from './github/api.ts';
import { toIdentity, user } from './github/identity.ts';
import { aboutThePerson, current, sessionOf } from './github/session.ts';
import { createTools } from './github/tools.ts';
import { NO_LOGOUT_TOKENS } from './oidc/settings.ts';

const settings = {
  clientId: setting({ env: 'CLIENT_ID', doc: 'Client id of the OAuth app at GitHub.', type: text() }),
  clientSecret: setting({
    env: 'CLIENT_SECRET',
    doc: 'Client secret of the OAuth app at GitHub.',
    type: text(),
    secret: true,
  }),
  baseUrl: setting({
    env: 'BASE_URL',
    doc: 'URL of GitHub, or of GitHub Enterprise Server. It is the issuer in the identity of the people who sign in.',
    type: url(),
    default: 'https://github.com',
  }),
  apiUrl: setting({
    env: 'API_URL',
    doc: 'URL of its REST API; for GitHub Enterprise Server the URL that ends in /api/v3, with data residency https://api.SUBDOMAIN.ghe.com.',
    type: url(),
    default: 'https://api.github.com',
  }),
  timeout: setting({
    env: 'TIMEOUT',
    doc: 'Maximum time that GitHub may take for one answer.',
    type: duration(1, 60),
    default: '10s',
  }),
};
type GithubSettings = Values<typeof settings>;

export default defineConnector({
  type: 'github',
  title: 'GitHub',
  settings,
  lacks: NO_LOGOUT_TOKENS,
  // A GitHub App has permissions in place of scopes.
  tools: { needsScopes: false },
  ruleTypes: ['domain', 'email', 'subject', 'user', 'org', 'team', 'claim'],
  caseInsensitive: ['user', 'org', 'team'],
  rules: ({ baseUrl, apiUrl }) => httpsOnly({ BASE_URL: baseUrl, API_URL: apiUrl }),
  open: (values, context) => {
    const fetch = createUpstreamFetch(context.fetch, values.timeout);
    const { clock = systemClock } = context;
    const identify = async (accessToken: string, send = fetch) => {
      const api = createApi(send, values.apiUrl, accessToken);
      const secrets = [accessToken, values.clientSecret];
      return toIdentity({ issuer: values.baseUrl, ...(await answersFor(context.needs, api, secrets)) });
    };
    const redeemed = async (answer: URL, checks: LoginChecks) => {
      const { code } = readAnswer(answer, {
        state: checks.state,
        issuer: values.baseUrl,
        // RFC 9207 §2.4; GitHub does not announce `iss`, but an answer with another issuer is a mix-up.
        isIssuer: (issuer) => URL.parse(issuer)?.origin === new URL(values.baseUrl).origin,
      });
      return redeem(fetch, values.baseUrl, {
        client_id: values.clientId,
        client_secret: values.clientSecret,
        redirect_uri: context.callbackUrl,
        code,
        code_verifier: checks.codeVerifier,
      });
    };
    const tools = createTools({
      fetch,
      clock,
      values,
      authorize: async (checks, { scopes, loginHint }) => {
        const scope = scopes.join(' ');
        return authorizeUrl(values, context, checks, {
          ...(scope && { scope }),
          // Otherwise GitHub uses the account that is signed in with this browser, and asks nothing if that account allowed the app before.
          ...(loginHint ? { login: loginHint } : { prompt: 'select_account' }),
        });
      },
      redeem: redeemed,
    });
    return {
      tools,
      identify: async (answers) => toIdentity({ issuer: values.baseUrl, ...fromFile(answers) }),
      begin: async (checks, options) => authorizeUrl(values, context, checks, signInParameters(context, options)),
      finish: async (answer, checks) => {
        const tokens = await redeemed(answer, checks);
        return { identity: await identify(tokens.accessToken), session: sessionOf(tokens, clock) };
      },
      recheck: async (last, renewed, signal) => {
        const send = endingWith(fetch, signal);
        const session = await current(send, last, { ...values, clock });
        if (session !== last) await renewed(session);
        return { identity: await aboutThePerson(() => identify(session.accessToken ?? '', send)), session };
      },
    };
  },
});

/** The answers of the API, in one object. @throws UpstreamError */
function fromFile({ user: person, emails, orgs, teams }: Readonly<Record<string, unknown>>) {
  const parsed = user.safeParse(person);
  if (!parsed.success)
    throw new UpstreamError('invalid_answer', 'the file has no member user with an id, as GET /user answers');
  const entries = (list: unknown): readonly unknown[] => (Array.isArray(list) ? list : []);
  return {
    person: parsed.data,
    emails: { entries: entries(emails) },
    orgs: { entries: entries(orgs) },
    teams: { entries: entries(teams) },
  };
}

/**
 * @param secrets values that no reason may show
 * @throws UpstreamError when something that a rule needs could not be asked
 */
async function answersFor(needs: ConnectorContext['needs'], api: GithubApi, secrets: readonly string[]) {
  const person = await api.read('/user', user);
  const needsEmail = needs?.has('email') || needs?.has('domain');
  const emails = await api.list('/user/emails').catch((error: unknown): Listed => {
    // For display only: a token without the e-mail scope, or a slow answer, must not prevent the sign-in.
    if (!needsEmail) return { entries: [] };
    throw error;
  });
  const orgs = needs?.has('org') ? await listed(api, '/user/orgs', secrets) : undefined;
  const teams = needs?.has('team') ? await listed(api, '/user/teams', secrets) : undefined;
  return { person, emails, orgs, teams };
}

/** A list that GitHub refuses is unknown and not empty: another rule may still allow the person, and none of this type decides. */
async function listed(api: GithubApi, path: string, secrets: readonly string[]): Promise<Listed> {
  try {
    return await api.list(path);
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.reason === 'unavailable') throw error;
    const said = error.facts.upstreamDescription;
    return { entries: [], incomplete: sanitized(said ? `${error.message}: ${said}` : error.message, secrets) };
  }
}

function signInParameters({ needs }: ConnectorContext, { selectAccount, reauthenticate }: BeginOptions = {}) {
  const readsMemberships = needs?.has('org') || needs?.has('team');
  return {
    scope: readsMemberships ? 'read:user user:email read:org' : 'read:user user:email',
    // GitHub can't be told to ask for the password again: the person at least has to choose the account.
    ...((selectAccount || reauthenticate) && { prompt: 'select_account' }),
  };
}

function authorizeUrl(
  { baseUrl, clientId }: GithubSettings,
  { callbackUrl }: ConnectorContext,
  { state, codeVerifier }: LoginChecks,
  parameters: Readonly<Record<string, string>>,
): URL {
  const target = new URL(`${baseUrl}/login/oauth/authorize`);
  target.search = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: callbackUrl,
    state,
    code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...parameters,
  }).toString();
  return target;
}
