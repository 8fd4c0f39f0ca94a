/** Owns whether a request goes through the proxy of the operator: HTTPS_PROXY and NO_PROXY, as for both services. */
import { proxySettings, withProxyVariables } from '@mcp-oauth/shared/network/settings';
import { TunnelError } from '@mcp-oauth/shared/network/tunnel';
import { accept, type Environment, readSettings } from '@mcp-oauth/shared/settings/config';

/** @returns the proxy for a URL, or `undefined` if it is requested directly, as every http URL is */
export type ProxyFor = (url: URL) => URL | undefined;

/** @throws ConfigError for a HTTPS_PROXY that is no URL of a proxy */
export function proxyValues(env: Environment) {
  const { values, problems } = readSettings(proxySettings, withProxyVariables(env));
  return accept(values, problems);
}

export function proxyFrom(env: Environment): ProxyFor {
  const { httpsProxy, noProxy } = proxyValues(env);
  return (url) => (url.protocol === 'https:' && !noProxy?.(url) ? httpsProxy : undefined);
}

/** Why there was no connection: a code of Node.js, or what the proxy said. */
export const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof TunnelError) return error.message;
  return error.name === 'TimeoutError' ? 'TIMEOUT' : ((error as NodeJS.ErrnoException).code ?? error.message);
};
