/** Owns the servers of a test whose challenge or metadata is broken. */
import { AT_ISSUER, at, type Broken, challenge, member, RESOURCE, without } from './break.ts';

export const METADATA_FAULTS: readonly Broken[] = [
  {
    is: 'without resource_metadata in its challenge',
    fault: challenge('Bearer realm="mcp"'),
    step: 'challenge',
    responsible: 'mcp-server',
    says: /no resource_metadata/,
  },
  {
    is: 'behind a proxy that strips WWW-Authenticate',
    fault: without('www-authenticate'),
    step: 'challenge',
    responsible: 'mcp-server',
    says: /no WWW-Authenticate/,
  },
  {
    is: 'behind a gateway that renames WWW-Authenticate',
    fault: at('/mcp', ({ headers: { 'www-authenticate': value, ...headers }, ...answer }) => ({
      ...answer,
      headers: { ...headers, ...(value && { 'x-amzn-remapped-www-authenticate': value }) },
    })),
    step: 'challenge',
    responsible: 'network',
    says: /renamed it to x-amzn-remapped-www-authenticate/,
  },
  {
    is: 'with a challenge that has no quotes',
    fault: challenge('Bearer resource_metadata=https://mcp.example.com/metadata'),
    step: 'challenge',
    responsible: 'mcp-server',
    says: /can't be read from here on/,
  },
  {
    is: 'behind a login of the proxy (Basic)',
    fault: challenge('Basic realm="staging"'),
    step: 'challenge',
    responsible: 'mcp-server',
    says: /offers Basic, not Bearer/,
  },
  {
    is: 'with the resource of another server',
    fault: member(RESOURCE, { resource: 'https://internal.example/mcp' }),
    step: 'resource',
    responsible: 'mcp-server',
    says: /resource is https:\/\/internal\.example\/mcp, but clients call/,
  },
  {
    is: 'with a slash too many in its resource',
    fault: member(RESOURCE, ({ url }) => ({ resource: `${url}/` })),
    step: 'resource',
    responsible: 'mcp-server',
    says: /compare both exactly/,
  },
  {
    is: 'without metadata (404)',
    fault: at(RESOURCE, (answer) => ({ ...answer, status: 404, body: 'none' })),
    step: 'resource',
    responsible: 'mcp-server',
    says: /no protected-resource metadata .*404.* as in MCP 2025-03-26 find/,
  },
  {
    is: 'with a web page as its metadata',
    fault: at(RESOURCE, () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' })),
    step: 'resource',
    responsible: 'mcp-server',
    says: /200, a web page/,
  },
  {
    is: 'without an authorization server in its metadata',
    fault: member(RESOURCE, { authorization_servers: [] }),
    step: 'resource',
    responsible: 'mcp-server',
    says: /names no authorization server/,
    untried: ['server', ...AT_ISSUER],
  },
  {
    is: 'behind TLS that it does not know of: the issuer is http',
    fault: member(RESOURCE, ({ origin }) => ({ authorization_servers: [origin.replace('https:', 'http:')] })),
    secure: true,
    step: 'resource',
    responsible: 'mcp-server',
    says: /authorization_servers has http:.*, with http/,
  },
  {
    is: 'behind TLS that it does not know of: the place of its metadata is http',
    fault: at('/mcp', (answer, _, { origin }) => {
      const plainOrigin = origin.replace('https:', 'http:');
      const header = `Bearer resource_metadata="${plainOrigin}${RESOURCE}"`;
      return answer.status === 401 ? { ...answer, headers: { ...answer.headers, 'www-authenticate': header } } : answer;
    }),
    secure: true,
    step: 'challenge',
    responsible: 'mcp-server',
    says: /resource_metadata is http:.*, with http, although/,
  },
  {
    is: 'with a challenge that names a place without metadata',
    fault: challenge('Bearer resource_metadata="http://127.0.0.1:1/nothing"'),
    step: 'resource',
    responsible: 'mcp-server',
    says: /The place that the challenge names has no metadata .*ECONNREFUSED/,
  },
  {
    is: 'whose metadata is of another resource at the well-known place than where the challenge points',
    fault: (answer, asked, site) => {
      if (asked.path === '/metadata')
        return { ...answer, status: 200, body: { resource: site.url, authorization_servers: [site.origin] } };
      const elsewhere = challenge(`Bearer resource_metadata="${site.origin}/metadata"`)(answer, asked, site);
      return elsewhere && member(RESOURCE, { resource: 'https://internal.example/mcp' })(elsewhere, asked, site);
    },
    step: 'resource',
    responsible: 'mcp-server',
    says: /oauth-protected-resource\/mcp has the resource https:\/\/internal\.example\/mcp, and http:.*\/metadata has/,
  },
  {
    is: 'whose metadata does not take tokens in the header',
    fault: member(RESOURCE, { bearer_methods_supported: ['body'] }),
    step: 'resource',
    responsible: 'mcp-server',
    says: /bearer_methods_supported is without header/,
  },
  {
    is: 'whose metadata is in a content coding that nobody has asked for',
    fault: at(RESOURCE, (answer) => ({
      ...answer,
      headers: { ...answer.headers, 'content-encoding': 'gzip', 'content-type': 'application/json' },
      body: 'not what it seems',
    })),
    step: 'resource',
    responsible: 'mcp-server',
    says: /200, compressed \(gzip\), although nobody has asked for it/,
  },
  {
    is: 'whose metadata has ten megabytes',
    fault: member(RESOURCE, { padding: 'x'.repeat(10_000_000) }),
    step: 'resource',
    responsible: 'mcp-server',
    says: /200, more than 1 MiB/,
  },
  {
    is: 'whose metadata is no JSON',
    fault: at(RESOURCE, ({ body: _, ...answer }) => ({ ...answer, body: '{"resource": ' })),
    step: 'resource',
    responsible: 'mcp-server',
    says: /200, not a JSON object/,
  },
  {
    is: 'whose metadata redirects to itself',
    fault: at(RESOURCE, () => ({ status: 302, headers: { location: RESOURCE } })),
    step: 'resource',
    responsible: 'mcp-server',
    says: /302 after a redirect to http:/,
  },
];
