/** Owns how options and parameters that several commands have are read. */
import { type Option, UsageError } from '@mcp-oauth/shared/cli/command';

/** The secret itself is never an option. */
export const CLIENT_SECRET_FILE: Option = {
  type: 'string',
  value: 'path',
  doc: 'With --client-id: the secret of that client (or in MCP_CLIENT_SECRET).',
};

export const CLIENT_KEY: Option = {
  type: 'string',
  value: 'path',
  doc: 'With --client-id: its private key for private_key_jwt, PEM or a JWK.',
};

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The parameter `<url>`. */
export function serverUrl(text = ''): URL {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol))
    throw new UsageError('<url> must be the http or https URL of an MCP server');
  if (url.username || url.password) throw new UsageError('<url> must have no user name or password');
  url.hash = '';
  return url;
}

/** @returns the option `--timeout` in milliseconds */
export function timeoutOf(value: unknown, otherwise: string, most: number): number {
  const seconds = Number(textOf(value) ?? otherwise);
  if (!(seconds >= 1 && seconds <= most)) throw new UsageError(`--timeout must be between 1 and ${most} seconds`);
  return seconds * 1000;
}
