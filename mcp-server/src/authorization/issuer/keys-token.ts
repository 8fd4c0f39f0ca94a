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
  /** The variable that names the file. */
  readonly setting: string;
  /** The one that the operator named. The metadata may name others, which get no token. */
  readonly origin: string;
  /** The variable by which the operator can name another origin; absent: it is set. */
  readonly elsewhere: string | undefined;
}

/** @throws StartError if the file cannot be read, or contains something else than one token */
export function readKeysToken({ file, setting }: KeysToken): string {
  const name = `${setting}: the file ${file}`;
  const token = readSettingFile(name, file).toString().trim();
  if (!B64TOKEN.test(token)) throw new StartError(`${name} contains no token`);
  return token;
}

/** Sends the token with each request to its origin. Redirects are not followed. */
export function withKeysToken(fetch: Fetch, token: KeysToken): Fetch {
  const { setting, origin, elsewhere } = token;
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.origin === origin) {
      const headers = new Headers(init?.headers);
      headers.set('authorization', `Bearer ${readKeysToken(token)}`);
      return fetch(input, { ...init, headers, redirect: 'error' });
    }
    const response = await fetch(input, init);
    if (response.status !== 401 && response.status !== 403) return response;
    await response.body?.cancel();
    const advice = elsewhere ? `: set ${elsewhere} if it is to be sent there` : '';
    throw new Error(
      `${url.href} answered ${response.status}, and the token of ${setting} is sent to ${origin} only${advice}`,
    );
  };
}
