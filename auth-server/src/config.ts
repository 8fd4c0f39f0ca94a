/** Owns every setting of auth-server, and the rules that a production server must keep. */

import { plainHttpOutside } from '@mcp-oauth/shared/network/internal-host';
import {
  accept,
  type Environment,
  optional,
  type Problem,
  readSettings,
  setting,
  type Values,
} from '@mcp-oauth/shared/settings/config';
import { metricsSettings } from '@mcp-oauth/shared/settings/metrics';
import { processSettings } from '@mcp-oauth/shared/settings/process';
import { judgeRedis, redisSettings, redisTargetOf } from '@mcp-oauth/shared/settings/redis';
import {
  duration,
  flag,
  integer,
  isLoopback,
  list,
  oneOf,
  origin,
  ownIssuer,
  port,
  secretKeys,
  text,
} from '@mcp-oauth/shared/settings/types';
import { hostPatterns, hostsToTheLetter } from './client-metadata/hosts.ts';
import { clients } from './clients/clients-setting.ts';
import { resources } from './consent/resource-setting.ts';
import { type ConfiguredConnector, type ConnectorKinds, readConnectors } from './federation/registry.ts';
import { trustedProxies } from './http/client-address.ts';
import { judgeKeys, keySettings } from './keys/settings.ts';
import { judgeRegistration, registrationSettings } from './registration/settings.ts';

export const settings = {
  issuer: setting({
    env: 'ISSUER',
    doc: 'Public URL of this server, and the `iss` of its tokens. All its other URLs are built from it. It may have a path: https://example.com/auth.',
    type: ownIssuer(),
    default: 'http://localhost:9000',
    example: 'https://auth.example.com',
  }),
  port: optional({
    env: 'PORT',
    doc: 'Port to listen on. Not set: the port of ISSUER, or 9000 where ISSUER names none.',
    type: port(),
  }),
  ...processSettings,
  ...metricsSettings,
  storageKeys: optional({
    env: 'STORAGE_KEYS',
    doc: 'Keys that encrypt private keys and client secrets before they are stored: 32 bytes each in base64, separated by commas. The first encrypts, all decrypt. Required in production; make one with `openssl rand -base64 32`.',
    type: secretKeys(),
    secret: true,
  }),
  dataDir: setting({
    env: 'DATA_DIR',
    doc: 'Folder of the file with clients, grants, sessions and signing keys. Made when it is missing; a relative path starts at the root of the project.',
    type: text(),
    default: '.data',
  }),
  ...redisSettings,
  storage: optional({
    env: 'STORAGE',
    doc: 'Where everything is kept. Not set: redis where REDIS_URL is set, else sqlite. In production sqlite, which is for one process on one machine, has to be asked for here.',
    type: oneOf('redis', 'sqlite'),
  }),
  resources: setting({
    env: 'RESOURCES',
    doc: 'The MCP servers that get tokens from here: their public origins, separated by commas, or a JSON array of objects with `url` and, where they differ from the defaults, `name`, `scopes`, `defaultScope`, `identifiers`, `audience`, `accessTokenLifetime`, `metadataUrl`. The first is the one for clients that name none. Without `scopes` (an object of names and what they allow, in words) a server says itself what its scopes are, in its protected-resource metadata at `metadataUrl`; in production that is http only inside the network.',
    type: resources(),
    default: 'http://localhost:8080',
    example: 'https://mcp.example.com',
  }),
  connectors: setting({
    env: 'CONNECTORS',
    doc: 'Ids of the ways to sign in, in the order of their buttons. The id `acme` is configured by `CONNECTOR_ACME_…`; `development` is built in.',
    type: list(),
    default: 'development',
    example: 'google,github',
  }),
  developmentIdpUrl: setting({
    env: 'DEVELOPMENT_IDP_URL',
    doc: 'Where the development IdP is, for the connector `development`.',
    type: origin(),
    default: 'http://localhost:9001',
  }),
  clients: setting({
    env: 'CLIENTS',
    doc: 'Clients that need not register: a JSON array of RFC 7591 metadata with `client_id` and, where it has one, `client_secret`. Best in a file: CLIENTS_FILE.',
    type: clients(),
    default: '[]',
    secret: true,
    example: '[{"client_id":"nightly-job","client_secret":"…","grant_types":["client_credentials"]}]',
  }),
  accessTokenLifetime: setting({
    env: 'ACCESS_TOKEN_LIFETIME',
    doc: 'How long an access token is good. It can’t be revoked, so keep it short.',
    type: duration(10, 86_400),
    default: '10m',
  }),
  accessTokenLifetimeConfidential: optional({
    env: 'ACCESS_TOKEN_LIFETIME_CONFIDENTIAL',
    doc: 'The same for clients with a secret or keys. Not set: ACCESS_TOKEN_LIFETIME.',
    type: duration(10, 86_400),
  }),
  accessTokenLifetimeMachine: optional({
    env: 'ACCESS_TOKEN_LIFETIME_MACHINE',
    doc: 'The same for machine clients, which have no refresh token. Not set: ACCESS_TOKEN_LIFETIME.',
    type: duration(10, 86_400),
  }),
  refreshTokenLifetime: setting({
    env: 'REFRESH_TOKEN_LIFETIME',
    doc: 'How long a refresh token is good when it is not used; each use gives a new one. It ends with the approval (GRANT_LIFETIME) at the latest.',
    type: duration(60),
    default: '14d',
  }),
  refreshTokenLifetimeConfidential: optional({
    env: 'REFRESH_TOKEN_LIFETIME_CONFIDENTIAL',
    doc: 'The same for clients with a secret or keys. Not set: REFRESH_TOKEN_LIFETIME.',
    type: duration(60),
  }),
  refreshGrace: setting({
    env: 'REFRESH_GRACE',
    doc: 'How long a refresh token that was used still leads to its successor, always the same one: for clients that refresh twice at once or lose the answer. Used later it ends the approval. `0s` allows one use.',
    type: duration(0, 600),
    default: '30s',
  }),
  grantLifetime: setting({
    env: 'GRANT_LIFETIME',
    doc: 'How long a person’s approval lasts, whatever is refreshed meanwhile.',
    type: duration(60),
    default: '90d',
  }),
  sessionLifetime: setting({
    env: 'SESSION_LIFETIME',
    doc: 'How long a browser stays signed in here after its last visit.',
    type: duration(60),
    default: '1d',
  }),
  clientLifetime: setting({
    env: 'CLIENT_LIFETIME',
    doc: 'How long a registered client is remembered after its last use.',
    type: duration(60),
    default: '90d',
  }),
  clientMetadata: setting({
    env: 'CLIENT_METADATA',
    doc: 'Whether a client may be known by the URL of a document about itself (Client ID Metadata Documents).',
    type: flag(),
    default: 'true',
  }),
  clientMetadataAllow: setting({
    env: 'CLIENT_METADATA_ALLOW',
    doc: 'Hosts whose documents are accepted, separated by commas; `*.example.com` is everything below example.com, `*` is all.',
    type: hostPatterns(),
    default: '*',
    example: 'claude.ai,*.example.com',
  }),
  clientMetadataDeny: setting({
    env: 'CLIENT_METADATA_DENY',
    doc: 'Hosts from which neither documents nor keys of clients are read, in the same form. Wins over CLIENT_METADATA_ALLOW.',
    type: hostPatterns(),
    default: 'none',
  }),
  clientMetadataPrivateHosts: setting({
    env: 'CLIENT_METADATA_PRIVATE_HOSTS',
    doc: 'Hosts, as `host` or `host:port`, whose documents may be inside the network and on any port, for tests and closed networks. Their certificates must be trusted: see NODE_EXTRA_CA_CERTS of Node. Refused in production.',
    type: hostsToTheLetter(),
    default: 'none',
    example: 'localhost:8443',
  }),
  clientMetadataStale: setting({
    env: 'CLIENT_METADATA_STALE',
    doc: 'How long the last good document of a client is used while its host can’t be reached.',
    type: duration(3_600),
    default: '30d',
  }),
  clientMetadataLimit: setting({
    env: 'CLIENT_METADATA_LIMIT',
    doc: 'Documents unknown so far that one address may have read in an hour.',
    type: integer(1, 1_000_000),
    default: '60',
  }),
  ...keySettings,
  trustedProxies: setting({
    env: 'TRUSTED_PROXIES',
    doc: 'Proxies whose X-Forwarded-For says who calls: addresses, CIDR ranges, `loopback`, `private`. Behind a proxy that is not named all callers share one limit; `none` trusts nobody.',
    type: trustedProxies(),
    default: 'none',
    example: 'loopback',
  }),
  ...registrationSettings,
  authorizationLimit: setting({
    env: 'AUTHORIZATION_LIMIT',
    doc: 'Authorization requests a minute that one address may begin, at /authorize or /par: each leaves a record for 15 minutes.',
    type: integer(1, 1_000_000),
    default: '3000',
  }),
  failureLimit: setting({
    env: 'FAILURE_LIMIT',
    doc: 'Requests to /token, /par and /revoke a minute that may fail for one address; then it waits out the minute. Requests that succeed are not counted.',
    type: integer(1, 1_000_000),
    default: '3000',
  }),
};

export type Config = Values<typeof settings> & { readonly signIn: readonly ConfiguredConnector[] };

/**
 * @param kinds the connector kinds that there are
 * @throws ConfigError with all problems
 */
export function readConfig(env: Environment, kinds: ConnectorKinds): Config {
  const { values, problems } = readSettings(settings, env);
  const development = {
    TYPE: 'oidc',
    NAME: 'Development sign-in',
    ISSUER: values.developmentIdpUrl,
    CLIENT_ID: 'auth-server',
    CLIENT_SECRET: 'development-only-secret',
  };
  // Production refuses the built-in one as a whole: nothing is to be said of its settings.
  const isProduction = values.environment === 'production';
  const ids = (values.connectors ?? []).filter((id) => !isProduction || id !== 'development');
  const signIn = readConnectors(ids, env, kinds, { development });
  const config = { ...values, redisUrl: redisTargetOf(values), signIn: signIn.connectors } as Config;
  return accept(config, [...problems, ...judge(values), ...signIn.problems]);
}

type Readable = Partial<Values<typeof settings>>;

function judge(values: Readable): readonly Problem[] {
  const { issuer, storage, redisUrl, connectors } = values;
  const problems: Problem[] = [...judgeKeys(values), ...judgeRedis(values), ...judgeRegistration(values)];
  const refuse = (env: string, message: string) => problems.push({ env, message });
  if (storage === 'redis' && !redisUrl) refuse('REDIS_URL', 'is required when STORAGE is redis');
  if (storage === 'sqlite' && redisUrl) refuse('STORAGE', 'is sqlite although REDIS_URL is set');
  if (connectors?.length === 0) refuse('CONNECTORS', 'expected at least one way to sign in');
  if (values.environment === 'production') return [...problems, ...judgeProduction(values)];
  if (issuer?.startsWith('http:') && !isLoopback(issuer)) {
    refuse('ISSUER', `must use https, or be a loopback address (got "${issuer}")`);
  }
  return problems;
}

function judgeProduction({
  issuer,
  resources,
  connectors,
  storage,
  redisUrl,
  storageKeys,
  clientMetadataPrivateHosts,
}: Readable): readonly Problem[] {
  const problems: Problem[] = [];
  const refuse = (env: string, message: string) => problems.push({ env, message });
  if (issuer?.startsWith('http:')) refuse('ISSUER', `must use https in production (got "${issuer}")`);
  if (!redisUrl && !storage) {
    refuse('REDIS_URL', 'is required in production; for one process without Redis set STORAGE to sqlite');
  }
  if (!storageKeys?.length) refuse('STORAGE_KEYS', 'is required in production: a key that encrypts what is stored');
  const plain = resources?.flatMap(({ identifiers }) => identifiers).find((name) => name.startsWith('http:'));
  const outside = resources?.map(({ metadataUrl }) => plainHttpOutside(metadataUrl)).find(Boolean);
  if (outside && !plain) refuse('RESOURCES', `metadataUrl ${outside}`);
  if (plain) refuse('RESOURCES', `must use https in production (got "${plain}")`);
  if (connectors?.includes('development')) {
    refuse('CONNECTORS', 'the development sign-in lets anybody in, so production refuses it; name your own');
  }
  if (clientMetadataPrivateHosts?.length) {
    refuse(
      'CLIENT_METADATA_PRIVATE_HOSTS',
      'lets strangers have this server read inside the network; not in production',
    );
  }
  return problems;
}
