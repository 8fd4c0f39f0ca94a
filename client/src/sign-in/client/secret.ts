/**
 * Owns the secret of a confidential client, or its key: it is read whenever it is used, only the place where it is read is kept, and how
 * it is written in requests.
 */
import { resolve } from 'node:path';
import { UsageError } from '@mcp-oauth/shared/cli/command';
import { StartError } from '@mcp-oauth/shared/errors';
import { isObject } from '@mcp-oauth/shared/json';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { readSettingFile } from '@mcp-oauth/shared/settings/file';
import { type Audience, type ClientKey, isKeyPlace, type KeyPlace, readClientKey } from './key.ts';

/** Where a secret or a key is read. */
export type SecretPlace = { readonly file: string } | { readonly variable: string } | KeyPlace;

/** What a client authenticates itself with. */
export type Credential = { readonly client_secret: string } | { readonly client_key: ClientKey };

/** @param clientId the client that has it */
export type ReadSecret = (place: SecretPlace, clientId: string) => Credential;

/** Which of the clients that this program is has the secret: how its options begin, and its variable. */
export interface SecretOwner {
  readonly prefix: string;
  readonly variable: string;
  readonly audience: Audience;
}

/** Arguments are shown in the list of processes, and variables are not (CWE-214). */
const AT_SERVER: SecretOwner = { prefix: 'client', variable: 'MCP_CLIENT_SECRET', audience: 'issuer' };
export const AT_IDENTITY_PROVIDER: SecretOwner = {
  prefix: 'idp-client',
  variable: 'MCP_IDP_CLIENT_SECRET',
  audience: 'endpoint',
};

/** @returns undefined for a public client */
export function secretPlaceOf(
  clientId: string | undefined,
  { file, key }: { readonly file: string | undefined; readonly key?: string | undefined },
  env: Environment,
  { prefix, variable, audience }: SecretOwner = AT_SERVER,
): SecretPlace | undefined {
  const given = [file !== undefined && `--${prefix}-secret-file`, key !== undefined && `--${prefix}-key`];
  const [first, second] = given.filter((option) => option !== false);
  if (second) throw new UsageError(`${first} and ${second} can't be used together`);
  if (first && clientId === undefined) throw new UsageError(`${first} needs --${prefix}-id`);
  if (key !== undefined) return { key: resolve(key), audience };
  if (file !== undefined) return { file: resolve(file) };
  return clientId !== undefined && env[variable] ? { variable } : undefined;
}

/** @throws StartError if there is no secret or key, or one that no client can have (RFC 6749 §A.2) */
export const readSecretIn =
  (env: Environment): ReadSecret =>
  (place) => {
    if ('key' in place) return { client_key: readClientKey(place) };
    const name = 'file' in place ? `the client secret in ${place.file}` : place.variable;
    const text = 'file' in place ? readSettingFile(name, place.file).toString('utf8') : env[place.variable];
    if (!text)
      throw new StartError(`${name} is ${text === '' ? 'empty' : 'not set'}: the client can't be authenticated`);
    // Editors and echo end a file with a line break.
    const secret = text.replace(/[\r\n]+$/, '');
    if (!/^[\x20-\x7e]+$/.test(secret)) throw new StartError(`${name} must be one line of ASCII (RFC 6749 §A.2)`);
    return { client_secret: secret };
  };

const formEncoded = (text: string): string => new URLSearchParams({ _: text }).toString().slice(2);

/** The credentials in a Basic header (RFC 6749 §2.3.1). */
export const basicOf = (id: string, secret: string): string =>
  Buffer.from(`${formEncoded(id)}:${formEncoded(secret)}`).toString('base64');

/** The secret of a client as requests have it: in a Basic header, in a form or URL, and as it is. A server may repeat each of them. */
export const spellingsOf = (id: string, secret: string): readonly string[] => [
  basicOf(id, secret).replace(/=+$/, ''),
  formEncoded(secret),
  encodeURIComponent(secret.toWellFormed()),
  secret,
];

export const isSecretPlace = (value: unknown): value is SecretPlace =>
  isKeyPlace(value) || (isObject(value) && (typeof value.file === 'string' || VARIABLES.includes(value.variable)));

const VARIABLES: readonly unknown[] = [AT_SERVER.variable, AT_IDENTITY_PROVIDER.variable];
