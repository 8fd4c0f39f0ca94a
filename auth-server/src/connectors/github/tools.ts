/**
 * Owns the tokens of GitHub for tools: those of an OAuth app have scopes, of which one may contain others; those of a GitHub App have
 * its permissions and no scopes.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { Connected, ToolAccess } from '../../federation/connector.ts';
import { endingWith } from '../../federation/upstream/upstream-fetch.ts';
import { createApi, endToken, isAccepted, type TokenAnswer } from './api.ts';
import { toIdentity, user } from './identity.ts';
import { type Credentials, renewed, sessionOf } from './session.ts';

interface Dependencies {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly values: Credentials & { readonly apiUrl: string };
  readonly authorize: ToolAccess['begin'];
  readonly redeem: (answer: URL, checks: Parameters<ToolAccess['finish']>[1]) => Promise<TokenAnswer>;
}

export const createTools = ({ fetch, clock, values, authorize, redeem }: Dependencies): ToolAccess => ({
  begin: authorize,
  finish: async (answer, checks, requested): Promise<Connected> => {
    const tokens = await redeem(answer, checks);
    const scopes = givenOf(requested, tokens);
    const person = await createApi(fetch, values.apiUrl, tokens.accessToken).read('/user', user);
    const identity = toIdentity({ issuer: values.baseUrl, person, emails: { entries: [] } });
    return { session: sessionOf(tokens, clock), scopes, identity };
  },
  refresh: async ({ session, scopes }, signal) => ({
    session: await renewed(endingWith(fetch, signal), session, { ...values, clock }),
    scopes,
  }),
  isAccepted: ({ accessToken = '' }, signal) => isAccepted(endingWith(fetch, signal), values.apiUrl, accessToken),
  revoke: ({ accessToken = '' }, signal) => endToken(endingWith(fetch, signal), values, accessToken),
});

function givenOf(requested: readonly string[], { scopes, accessToken }: TokenAnswer): readonly string[] {
  // The token of a GitHub App has what the app may do, which GitHub shows to the person.
  if (scopes === undefined && accessToken.startsWith('ghu_')) return requested;
  const given = withContained(scopes ?? []);
  return requested.filter((scope) => given.has(scope));
}

/** GitHub docs, "Scopes for OAuth apps": GitHub names a scope alone where it contains others that were requested. */
const CONTAINS: Readonly<Record<string, readonly string[]>> = {
  repo: ['repo:status', 'repo_deployment', 'public_repo', 'repo:invite', 'security_events'],
  'admin:repo_hook': ['write:repo_hook', 'read:repo_hook'],
  'write:repo_hook': ['read:repo_hook'],
  'admin:org': ['write:org', 'read:org', 'manage_runners:org'],
  'write:org': ['read:org'],
  'admin:public_key': ['write:public_key', 'read:public_key'],
  'write:public_key': ['read:public_key'],
  'admin:gpg_key': ['write:gpg_key', 'read:gpg_key'],
  'write:gpg_key': ['read:gpg_key'],
  user: ['read:user', 'user:email', 'user:follow'],
  project: ['read:project'],
  'write:packages': ['read:packages'],
  'write:discussion': ['read:discussion'],
};

const withContained = (scopes: readonly string[]): ReadonlySet<string> =>
  new Set(scopes.flatMap((scope) => [scope, ...(CONTAINS[scope] ?? [])]));
