/** Owns the settings of the HTTP server: its URL and port, its name, and which web pages and host names may be used to call it. */
import { endpointIn } from '@mcp-oauth/shared/contract';
import { trustedProxies } from '@mcp-oauth/shared/http/request/client-address';
import { optional, type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import * as type from '@mcp-oauth/shared/settings/types';

export const httpSettings = {
  publicUrl: setting({
    env: 'PUBLIC_URL',
    doc: 'URL at which clients reach this server. Its MCP endpoint is this URL followed by /mcp. It may have a path, so that several servers share one host: `https://example.com/tools`.',
    type: type.baseUrl(),
    default: 'http://localhost:8080',
    example: 'https://mcp.example.com',
  }),
  port: optional({
    env: 'PORT',
    doc: 'Port to listen on. Default: the port of PUBLIC_URL, or 8080.',
    type: type.port(),
    example: '8080',
  }),
  serverName: setting({
    env: 'SERVER_NAME',
    doc: 'Name of this server, as it is shown to people and clients.',
    type: type.text(),
    default: 'MCP OAuth Server',
  }),
  allowedOrigins: optional({
    env: 'ALLOWED_ORIGINS',
    doc: 'Origins of web pages that may call this server, in addition to its own. If PUBLIC_URL is a loopback address, every loopback origin may.',
    type: type.origins(),
    example: 'https://inspector.example.com',
  }),
  allowedHosts: optional({
    env: 'ALLOWED_HOSTS',
    doc: 'Host names under which this server may be called, in addition to that of PUBLIC_URL, such as one inside a cluster.',
    type: type.exactList(),
    example: 'mcp-server,mcp-server:8080',
  }),
  trustedProxies: setting({
    env: 'TRUSTED_PROXIES',
    doc: 'Proxies whose X-Forwarded-For header is trusted for the address of the caller, which only INTROSPECTION_LIMIT counts: addresses, CIDR ranges, `loopback`, `private`. Behind a proxy that is not listed all callers share one limit. `none` trusts no proxy.',
    type: trustedProxies(),
    default: 'none',
    example: 'loopback',
  }),
} as const;

type HttpSettings = Values<typeof httpSettings>;

/** Defaults that depend on other settings. */
export const httpDefaults = ({ publicUrl, port, allowedOrigins, allowedHosts }: HttpSettings) => ({
  port: port ?? (Number(new URL(publicUrl).port) || 8080),
  allowedOrigins: allowedOrigins ?? [],
  allowedHosts: allowedHosts ?? [],
});

/** RFC 6750 §5.3: bearer tokens are only sent over TLS. */
export function judgePublicUrl(publicUrl: string | undefined, environment: string | undefined): readonly Problem[] {
  if (publicUrl === undefined) return [];
  const problem = (message: string): Problem => ({
    env: 'PUBLIC_URL',
    message: `${message} (got ${JSON.stringify(publicUrl)})`,
  });
  const endpoint = endpointIn(publicUrl);
  if (endpoint) return [problem(`is the URL without ${endpoint}, which this server appends`)];
  return environment === 'production' && publicUrl.startsWith('http:') ? [problem('must use https in production')] : [];
}
