/** Proves that every proxy in front of both services passes the paths of mcp-server on to it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { OWN_KEYS_PATH } from '../mcp-server/src/http/metadata-path.ts';

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), 'utf8');

const PATHS = [
  '/',
  '/mcp',
  '/sse',
  '/messages',
  '/.well-known/oauth-protected-resource',
  '/.well-known/oauth-protected-resource/mcp',
  OWN_KEYS_PATH,
];

const OTHERS = ['/authorize', '/token', '/jwks', '/.well-known/oauth-authorization-server', '/.well-known/jwks.json/x'];

const haproxy = (path: string): boolean => {
  const [, exact = ''] = /acl mcp path -i (.+)/.exec(read('deploy/gateway/haproxy.cfg')) ?? [];
  const [, begins = ''] = /acl mcp path_beg -i (.+)/.exec(read('deploy/gateway/haproxy.cfg')) ?? [];
  return exact.split(' ').includes(path) || begins.split(' ').some((start) => path.startsWith(start));
};

const nginx = (path: string): boolean =>
  [...read('deploy/nginx/mcp.conf').matchAll(/^ +~\*(\S+) +mcp-server:8080;/gm)].some(([, pattern = '']) =>
    new RegExp(pattern, 'i').test(path),
  );

interface IngressPath {
  readonly path: string;
  readonly pathType: 'Exact' | 'Prefix';
  readonly backend: { readonly service: { readonly name: string } };
}

/** The longest path decides. */
const ingress = (path: string): boolean => {
  const paths: readonly IngressPath[] = parse(read('deploy/kubernetes/base/ingress.yaml')).spec.rules[0].http.paths;
  const fits = ({ path: own, pathType }: IngressPath) =>
    path === own || (pathType === 'Prefix' && path.startsWith(own.replace(/\/?$/, '/')));
  const exact = paths.filter(({ pathType, path: own }) => pathType === 'Exact' && path === own);
  const [best] = [...exact, ...paths.filter(fits).sort((a, b) => b.path.length - a.path.length)];
  return best?.backend.service.name === 'mcp-server';
};

describe.each([
  ['the gateway of docker compose', haproxy],
  ['nginx in front of the services', nginx],
  ['the Ingress of Kubernetes', ingress],
])('%s', (_, leadsToMcp) => {
  it.each(PATHS)('%s leads to mcp-server', (path) => {
    expect(leadsToMcp(path)).toBe(true);
  });

  it.each(OTHERS)('%s does not lead to mcp-server', (path) => {
    expect(leadsToMcp(path)).toBe(false);
  });
});
