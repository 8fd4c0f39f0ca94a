/**
 * Owns the path of a PUBLIC_URL that has one (`https://example.com/tools`), so that several servers share a host. Everything behind
 * it sees targets without the path. A target without the path stays as it is: a proxy may have removed the path already, and probes
 * never have it.
 */
import type { RequestListener } from 'node:http';
import {
  AUTHORIZATION_SERVER_PATH,
  OPENID_CONFIGURATION_PATH,
  PROTECTED_RESOURCE_PATH,
  urlPath,
} from '@mcp-oauth/shared/contract';
import { innerTarget } from '@mcp-oauth/shared/http/request/inner-target';

const DOCUMENTS = [PROTECTED_RESOURCE_PATH, AUTHORIZATION_SERVER_PATH, OPENID_CONFIGURATION_PATH];

/** The target as this server knows it. */
export const withoutBasePath = (target: string, path: string): string => innerTarget(target, path, DOCUMENTS) ?? target;

export function underBasePath(publicUrl: string, handler: RequestListener): RequestListener {
  const path = urlPath(publicUrl);
  if (!path) return handler;
  return (req, res) => {
    // RFC 9112 §3.2.2: an absolute target begins with scheme and host.
    const [, origin = '', target = ''] = /^(https?:\/\/[^/?#]*)?(.*)$/is.exec(req.url ?? '') ?? [];
    req.url = origin + withoutBasePath(target, path);
    handler(req, res);
  };
}
