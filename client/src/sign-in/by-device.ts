/** Owns a sign-in on another device: a code that a person enters in any browser (RFC 8628). */
import { StartError } from '@mcp-oauth/shared/errors';
import { isObject, type JsonObject } from '@mcp-oauth/shared/json';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { visible } from '@mcp-oauth/shared/text/terminal-text';
import { assertSecureTokenEndpoint, type OAuthTokens } from '@modelcontextprotocol/client';
import { formOf, tokenEndpoint } from './client/authentication.ts';
import type { Registered } from './client/registration.ts';
import type { Authority } from './discover.ts';
import { NotAgreed, refusal, tokensOf } from './grant.ts';

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

export interface DeviceSignIn {
  readonly scope: string | undefined;
  readonly clientOf: () => Promise<Registered>;
  /** Shows the person the URL, the code, and the URL that has the code in it. */
  readonly show: (url: URL, code: string, complete: URL | undefined) => void;
  readonly now: () => number;
  readonly wait: (milliseconds: number) => Promise<void>;
}

/** RFC 8628 §3.2 and §3.5. */
const INTERVAL = 5_000;
const LONGEST_INTERVAL = 60_000;
const LONGEST_LIFE = 30 * 60_000;

/** @throws StartError if the issuer has no device code, or the person does not agree in time */
export async function signInByDevice(
  { issuer, metadata, resource }: Authority,
  { scope, clientOf, show, now, wait }: DeviceSignIn,
  fetch: Fetch,
): Promise<{ readonly client: Registered; readonly tokens: OAuthTokens }> {
  const endpoint = (metadata as JsonObject | undefined)?.device_authorization_endpoint;
  if (!metadata || typeof endpoint !== 'string') {
    throw new StartError(`${issuer} has no device_authorization_endpoint (RFC 8628 §4): sign in with the browser`);
  }
  const client = await clientOf();
  const ask = async (url: string, fields: Readonly<Record<string, string | undefined>>) => {
    const form = await formOf(client, tokenEndpoint(url, metadata), fields);
    const answer = await fetch(assertSecureTokenEndpoint(url), form);
    const body: unknown = await answer.json().catch(() => undefined);
    if (!isObject(body)) throw new StartError(`${url} answers ${answer.status} without a JSON object`);
    return { ok: answer.ok, body };
  };
  const { ok, body } = await ask(endpoint, { scope, resource });
  if (!ok) throw refusedBy(body);
  const { device_code: code, user_code: userCode, expires_in: life } = body;
  const at = pageOf(body.verification_uri);
  if (typeof code !== 'string' || typeof userCode !== 'string' || !at) {
    throw new StartError(
      `${endpoint} does not answer with device_code, user_code and verification_uri (RFC 8628 §3.2)`,
    );
  }
  show(at, visible(userCode), pageOf(body.verification_uri_complete));
  const end = now() + Math.min(secondsOf(life, LONGEST_LIFE), LONGEST_LIFE);
  let interval = Math.max(1_000, secondsOf(body.interval, INTERVAL));
  while (now() < end) {
    await wait(Math.min(interval, LONGEST_INTERVAL));
    const polled = await ask(metadata.token_endpoint, { grant_type: DEVICE_GRANT, device_code: code, resource }).catch(
      (error: unknown) => {
        // §3.5: a request that gets no answer is repeated less often.
        if (!(error instanceof TypeError)) throw error;
        interval *= 2;
        return undefined;
      },
    );
    if (!polled) continue;
    if (polled.ok) return { client, tokens: tokensOf(polled.body) };
    const { error } = polled.body;
    if (error === 'slow_down') interval += INTERVAL;
    else if (error !== 'authorization_pending') throw refusedBy(polled.body);
  }
  throw new NotAgreed('nobody has signed in in time');
}

const refusedBy = ({ error, error_description: more }: JsonObject): StartError =>
  refusal(error, more, 'refused without a reason');

const secondsOf = (value: unknown, otherwise: number): number =>
  typeof value === 'number' && value > 0 ? value * 1_000 : otherwise;

function pageOf(value: unknown): URL | undefined {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  return url && /^https?:$/.test(url.protocol) ? url : undefined;
}
