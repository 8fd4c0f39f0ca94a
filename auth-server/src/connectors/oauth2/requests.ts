/** Owns the requests to an OAuth 2.0 provider: its token endpoint (RFC 6749 §4.1.3, §6), its revocation (RFC 7009 §2.1), the account. */
import { valueAt } from '@mcp-oauth/shared/claim-path';
import { isObject } from '@mcp-oauth/shared/json';
import { type Identity, UpstreamError } from '../../federation/connector.ts';
import { label } from '../../federation/subject.ts';
import { formEncoded } from '../oidc/provider.ts';
import { readTokenAnswer } from '../oidc/token-answer.ts';
import type { Oauth2Settings } from './settings.ts';

type Fetch = typeof globalThis.fetch;

export interface TokenAnswer {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly expires_in?: number;
  readonly scope?: string;
}

/** Redeems a code or a refresh token. @throws UpstreamError */
export async function redeem(fetch: Fetch, values: Oauth2Settings, form: Record<string, string>): Promise<TokenAnswer> {
  const response = await readTokenAnswer(await post(fetch, values.tokenUrl, values, form));
  return (await response.json()) as TokenAnswer;
}

/** @throws UpstreamError */
export async function revoke(fetch: Fetch, values: Oauth2Settings, url: string, token: string): Promise<void> {
  const { ok, status } = await post(fetch, url, values, { token });
  if (!ok) throw new UpstreamError('invalid_answer', `the revocation endpoint answered ${status}`, { status });
}

function post(fetch: Fetch, url: string, values: Oauth2Settings, form: Record<string, string>): Promise<Response> {
  const { clientAuth, clientId, clientSecret = '' } = values;
  const credentials = `${formEncoded(clientId)}:${formEncoded(clientSecret)}`;
  return fetch(url, {
    method: 'POST',
    headers: {
      accept: 'application/json',
      ...(clientAuth === 'client_secret_basic' && { authorization: `Basic ${btoa(credentials)}` }),
    },
    body: new URLSearchParams({
      ...form,
      ...(clientAuth !== 'client_secret_basic' && { client_id: clientId }),
      ...(clientAuth === 'client_secret_post' && { client_secret: clientSecret }),
    }),
  });
}

/**
 * The account to which a token belongs; `undefined` if the provider has no URL for it.
 * @throws UpstreamError if the provider does not say it
 */
export async function accountOf(fetch: Fetch, values: Oauth2Settings, token: string): Promise<Identity | undefined> {
  const { userinfoUrl, accountClaim, tokenUrl } = values;
  if (userinfoUrl === undefined) return undefined;
  const response = await askUserinfo(fetch, userinfoUrl, token);
  const said: unknown = await response.json().catch(() => undefined);
  const found = response.ok && isObject(said) ? valueAt(said, accountClaim) : undefined;
  const name = label(typeof found === 'number' ? String(found) : found);
  if (name !== undefined) return { issuer: new URL(tokenUrl).origin, subject: name, username: name };
  throw new UpstreamError('invalid_answer', `USERINFO_URL answered ${response.status} without an account`, {
    status: response.status,
    claim: accountClaim,
  });
}

const askUserinfo = (fetch: Fetch, url: string, token: string): Promise<Response> =>
  fetch(url, { headers: { accept: 'application/json', authorization: `Bearer ${token}` } });

/** RFC 6750 §3.1: 401 is about the token. @throws UpstreamError for any other refusal */
export async function isAccepted(fetch: Fetch, url: string, token: string): Promise<boolean> {
  const { ok, status, body } = await askUserinfo(fetch, url, token);
  await body?.cancel();
  if (!ok && status !== 401) throw new UpstreamError('unavailable', `USERINFO_URL answered ${status}`, { status });
  return ok;
}
