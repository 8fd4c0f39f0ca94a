/**
 * Owns the bearer token (RFC 6750) without which an issuer, such as a Kubernetes cluster, shows neither its metadata nor its keys: where
 * it is sent, and that it is read for each request, because it is renewed while the server runs.
 */
import { StartError } from '@mcp-oauth/shared/errors';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { readSettingFile } from '@mcp-oauth/shared/settings/file';
import { B64TOKEN } from '../access-token.ts';

export interface KeysToken {
  readonly file: string;
  /** The variables that name the file and the place of the keys. */
  readonly setting: string;
  readonly placeSetting: string;
  /** The origins that the operator named. The metadata may name others, which get no token. */
  readonly origins: readonly string[];
}

/** @throws StartError if the file cannot be read, or contains something else than one token */
export function readKeysToken({ file, setting }: KeysToken): string {
  const name = `${setting}: the file ${file}`;
  const token = readSettingFile(name, file).toString().trim();
  if (!B64TOKEN.test(token)) throw new StartError(`${name} contains no token`);
  return token;
}

/** Sends the token with each request to its origins. Redirects are not followed. */
export function withKeysToken(fetch: Fetch, token: KeysToken): Fetch {
  const { setting, placeSetting, origins } = token;
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (origins.includes(url.origin)) {
      const headers = new Headers(init?.headers);
      headers.set('authorization', `Bearer ${readKeysToken(token)}`);
      return fetch(input, { ...init, headers, redirect: 'error' });
    }
    const response = await fetch(input, init);
    if (response.status !== 401 && response.status !== 403) return response;
    await response.body?.cancel();
    const told = `the token of ${setting} is sent to ${origins.join(', ')} only: set ${placeSetting}`;
    throw new Error(`${url.href} answered ${response.status}, and ${told} if it is to be sent there`);
  };
}
