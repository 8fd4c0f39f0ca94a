/** Owns the servers of a test whose authorization server is broken. */
import { AT_ISSUER, at, type Broken, member, plain, SERVER } from './break.ts';

export const ISSUER_FAULTS: readonly Broken[] = [
  {
    is: 'behind TLS that its authorization server does not know of',
    fault: plain(SERVER),
    secure: true,
    step: 'server',
    responsible: 'authorization-server',
    says: /is of the issuer "http:/,
    untried: AT_ISSUER,
  },
  {
    is: 'with metadata of another issuer',
    fault: member(SERVER, { issuer: 'https://login.example' }),
    step: 'server',
    responsible: 'authorization-server',
    says: /is of the issuer "https:\/\/login\.example"/,
    untried: AT_ISSUER,
  },
  {
    is: 'with an issuer that only has a slash more',
    fault: member(SERVER, ({ origin }) => ({ issuer: `${origin}/` })),
    step: 'server',
    responsible: 'mcp-server',
    says: /is of the issuer "http:.*\/"/,
    untried: AT_ISSUER,
  },
  {
    is: 'whose authorization server has no metadata (404)',
    fault: at(SERVER, (answer) => ({ ...answer, status: 404, body: 'none' })),
    step: 'server',
    responsible: 'authorization-server',
    says: /has no metadata.*404.*404/,
    untried: AT_ISSUER,
  },
  {
    is: 'whose token endpoint is http although its issuer is https',
    fault: member(SERVER, ({ origin }) => ({ token_endpoint: `${origin.replace('https:', 'http:')}/token` })),
    secure: true,
    step: 'server',
    responsible: 'authorization-server',
    says: /token_endpoint is http:.*, with http/,
  },
  {
    is: 'without a token endpoint',
    fault: member(SERVER, { token_endpoint: undefined }),
    step: 'server',
    responsible: 'authorization-server',
    says: /The metadata has no token_endpoint\./,
  },
  {
    is: 'without the authorization code flow',
    fault: member(SERVER, { response_types_supported: ['token'] }),
    step: 'server',
    responsible: 'authorization-server',
    says: /response_types_supported is without code/,
  },
  {
    is: 'with PKCE that has no S256',
    fault: member(SERVER, { code_challenge_methods_supported: ['plain'] }),
    step: 'pkce',
    responsible: 'authorization-server',
    says: /code_challenge_methods_supported is plain/,
  },
  {
    is: 'without PKCE',
    fault: member(SERVER, { code_challenge_methods_supported: undefined }),
    step: 'pkce',
    responsible: 'authorization-server',
    says: /code_challenge_methods_supported is missing/,
  },
  {
    is: 'with neither registration nor documents of clients',
    fault: member(SERVER, { registration_endpoint: undefined }),
    step: 'registration',
    responsible: 'authorization-server',
    says: /no client can introduce itself/,
  },
  {
    is: 'that announces ID-JAGs without the grant that takes them',
    fault: member(SERVER, {
      authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
      grant_types_supported: ['authorization_code'],
    }),
    step: 'registration',
    responsible: 'authorization-server',
    says: /announces ID-JAGs .*jwt-bearer is not in grant_types_supported/,
  },
  {
    is: 'whose key set is a web page',
    fault: at('/jwks', () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' })),
    step: 'keys',
    responsible: 'authorization-server',
    says: /The keys can't be read: .*200, a web page/,
  },
  {
    is: 'with an empty key set',
    fault: member('/jwks', { keys: [] }),
    step: 'keys',
    responsible: 'authorization-server',
    says: /no usable key/,
  },
  {
    is: 'with a symmetric key in its key set',
    fault: at('/jwks', ({ body, ...answer }) => {
      const { keys } = body as { keys: object[] };
      return { ...answer, body: { keys: [...keys, { kty: 'oct', k: 'c2VjcmV0' }] } };
    }),
    step: 'keys',
    responsible: 'authorization-server',
    says: /contains a secret key/,
  },
];
