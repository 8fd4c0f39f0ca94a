/** Owns how an engine is created from the settings, and how it validates a client before the client is stored. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '@mcp-oauth/shared/clock';
import { systemClock } from '@mcp-oauth/shared/clock';
import { createLogger, type Logger } from '@mcp-oauth/shared/logger';
import { createOutgoingFetch, type Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { type OnFailure, reasonOf } from '@mcp-oauth/shared/remote-document';
import { ConfigError, type Problem } from '@mcp-oauth/shared/settings/config';
import { type ClientMetadata, createClientMetadata } from './client-metadata/client-metadata.ts';
import { followCopies } from './client-metadata/copies.ts';
import type { Judge } from './client-metadata/document.ts';
import { createGet } from './client-metadata/get.ts';
import type { HostPolicy } from './client-metadata/hosts.ts';
import type { Client } from './clients/client.ts';
import { createClientList } from './clients/client-list.ts';
import { createPreRegisteredClients, type PreRegisteredClients } from './clients/pre-registered.ts';
import type { Config } from './config.ts';
import { createResources, type ResourceSetting, type Resources } from './resources/resource.ts';
import { createScopeSource } from './resources/resource-metadata.ts';
import { type Accounts, createAccounts } from './federation/account.ts';
import type { Keys } from './keys/key-store.ts';
import { generateSigningKey } from './keys/signing-key.ts';
import type { EngineCounts } from './provider/events.ts';
import { UNAPPROVED } from './provider/lifetimes.ts';
import { createEngine, type Engine } from './provider/provider.ts';
import { createInitialAccessTokens } from './registration/initial-access-tokens.ts';
import { type CreateRateLimit, rateLimitsOn } from './storage/rate-limit.ts';
import type { RecordStore } from './storage/record-store.ts';
import { createSqliteStore } from './storage/sqlite.ts';
import { errorPage } from './views/error.ts';

interface Ports {
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: RecordStore;
  readonly createRateLimit: CreateRateLimit;
}

/** An account outlives every grant and session that names it. */
export const accountsOf = ({ grantLifetime, sessionLifetime }: Config, store: RecordStore): Accounts =>
  createAccounts(store, Math.max(grantLifetime, sessionLifetime));

export const preRegisteredOf = ({ clients }: Config, { store, clock }: Ports): PreRegisteredClients =>
  createPreRegisteredClients(clients, createClientList(store), clock);

/** The registration options, for the engine and for the guard in front of it. */
export const registrationOf = (config: Config, { store, clock }: Pick<Ports, 'store' | 'clock'>) => ({
  mode: config.registration,
  management: config.registrationManagement,
  initialAccessTokens: createInitialAccessTokens(store, clock),
});

type EnginePorts = Ports & {
  readonly accounts: Accounts;
  readonly preRegistered: PreRegisteredClients;
  readonly fetch: Fetch;
  readonly counts?: EngineCounts | undefined;
};

/** @returns a function that creates an engine for a set of keys; everything else outlives the engines */
export function createEngineWith(config: Config, ports: EnginePorts): (keys: Keys) => Engine {
  const parts = {
    ...ports,
    issuer: config.issuer,
    resources: resourcesOf(config, ports),
    clientMetadata: clientMetadata(config, ports),
    clientIdMetadataDocuments: config.clientMetadata,
    registration: registrationOf(config, ports),
    lifetimes: lifetimesOf(config),
    renderErrorPage: errorPage,
  };
  return (keys) => createEngine({ ...parts, keys });
}

function resourcesOf(config: Config, { clock, log, fetch }: EnginePorts): Resources {
  const words = config.scopeDescriptions;
  const sourceOf = ({ scopes, metadataUrl: url, identifiers }: ResourceSetting) => {
    if (scopes || !url) return undefined;
    const onFailure: OnFailure = (error, isNews) => {
      if (isNews) log.warn({ url, reason: reasonOf(error) }, 'resource metadata could not be fetched');
    };
    const onRecovery = () => log.info({ url }, 'resource metadata fetched again');
    return createScopeSource({ url, identifiers, words, fetch, clock, onFailure, onRecovery });
  };
  return createResources(config.resources, sourceOf, words);
}

const lifetimesOf = (config: Config) => ({
  accessToken: {
    all: config.accessTokenLifetime,
    confidential: config.accessTokenLifetimeConfidential,
    machine: config.accessTokenLifetimeMachine,
  },
  refreshToken: { all: config.refreshTokenLifetime, confidential: config.refreshTokenLifetimeConfidential },
  refreshGrace: config.refreshGrace,
  grant: config.grantLifetime,
  session: config.sessionLifetime,
  client: config.clientLifetime,
});

/** The hosts whose documents are read. */
export const hostPolicyOf = (config: Config): HostPolicy => ({
  allow: config.clientMetadataAllow,
  deny: config.clientMetadataDeny,
  private: config.clientMetadataPrivateHosts,
});

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The folder with the operator's copies of documents. */
export const copyFolderOf = ({ clientMetadataCopies: folder }: Config): string | undefined =>
  folder === undefined ? undefined : resolve(ROOT, folder);

function clientMetadata(config: Config, ports: Ports): ClientMetadata {
  const hosts = hostPolicyOf(config);
  const folder = copyFolderOf(config);
  const findCopy = folder === undefined ? undefined : followCopies(folder, ports);
  const { clientMetadataStale: staleFor, clientMetadataLimit: callerLimit } = config;
  return createClientMetadata(
    { hosts, staleFor, callerLimit, unapprovedFor: UNAPPROVED },
    { ...ports, findCopy, get: createGet({ proxy: config.clientMetadataProxy }) },
  );
}

type Work<T> = (engine: Engine) => T | Promise<T>;

/** A temporary engine without stored state, to validate clients. */
async function withSpareEngine<T>(config: Config, clients: readonly Client[], work: Work<T>): Promise<T> {
  const clock = systemClock;
  const store = createSqliteStore(':memory:', clock);
  const preRegistered = createPreRegisteredClients(clients, createClientList(store), clock);
  const ports = { clock, store, preRegistered, log: createLogger('auth-server', 'silent') };
  const rest = {
    createRateLimit: rateLimitsOn(undefined),
    accounts: accountsOf(config, store),
    fetch: createOutgoingFetch(config),
  };
  const key = await generateSigningKey(config.signingAlgorithm);
  const engine = createEngineWith(config, { ...ports, ...rest })({ signing: [key], cookies: ['unused'] });
  try {
    return await work(engine);
  } finally {
    await store.close();
  }
}

/** The engine's problems with clients that the operator configures, reported at start instead of at their first use. */
export const judgeClients = (config: Config, clients: readonly Client[]): Promise<readonly Problem[]> =>
  withSpareEngine(config, clients, (engine) =>
    clients.flatMap((client) => {
      const problem = engine.problemWith(client);
      return problem ? [{ env: 'CLIENTS', message: `client ${JSON.stringify(client.client_id)}: ${problem}` }] : [];
    }),
  );

/** Runs `work` with a function that validates the content of a client document as the server does. */
export const withDocumentJudge = <T>(config: Config, work: (judge: Judge) => Promise<T>): Promise<T> =>
  withSpareEngine(config, [], (engine) => work(engine.judgeDocument));

/** @throws ConfigError */
export async function refuseUnusableClients(config: Config): Promise<void> {
  if (config.clients.length === 0) return;
  const problems = await judgeClients(config, config.clients);
  if (problems.length > 0) throw new ConfigError(problems);
}
