/**
 * Owns the composition: from the environment to a service that can listen. Only this folder knows every module. Each of its other
 * files turns the settings into one capability. A setting goes from the configuration straight to the function that needs it.
 */
import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { Audit } from '@mcp-oauth/shared/audit/entry';
import { openAudit } from '@mcp-oauth/shared/audit/open';
import { type Clock, systemClock } from '@mcp-oauth/shared/clock';
import { reasonOf } from '@mcp-oauth/shared/documents/remote-document';
import { StartError } from '@mcp-oauth/shared/errors';
import { createLogger, type Logger } from '@mcp-oauth/shared/logger';
import { createOutgoingFetch, type Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import type { Service } from '@mcp-oauth/shared/service';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import manifest from '../../package.json' with { type: 'json' };
import type { Access } from '../access/access.ts';
import { brandOf } from '../branding/brand.ts';
import { type Config, readConfig } from '../config.ts';
import {
  type Organisations,
  organisationsBy,
  orgClaimsOf,
  readOrganisations,
  withClaims,
} from '../federation/claims/organisations.ts';
import { discoverKinds, type OpenConnector, type OpenTools, openConnectors } from '../federation/registry.ts';
import { openKeys } from '../keys/open.ts';
import { keyPolicyOf } from '../keys/settings.ts';
import type { SigningKeys } from '../keys/signing-key.ts';
import { chooseFrom, discoverLanguages } from '../languages/languages.ts';
import type { Meters } from '../metrics.ts';
import type { GrantDirectory } from '../revocation/grant-directory.ts';
import type { StatusStore } from '../revocation/status-store.ts';
import { createSqliteDirectory } from '../storage/directory/sqlite.ts';
import { closing, openStorage, type Storage } from '../storage/open.ts';
import { patientStart } from '../storage/patience.ts';
import { type CreateRateLimit, rateLimitsOn } from '../storage/rate-limit.ts';
import { type RecordStore, StoreUnavailable } from '../storage/record-store.ts';
import { createSqliteStatusStore } from '../storage/status/sqlite.ts';
import type { RevokeTokens } from '../vault/connections/revocation.ts';
import { createPages } from '../views/pages.ts';
import { composeAccess, composeGates, tellAccess } from './access.ts';
import { composeAccounts, composeRecheck, composeSignedOut } from './accounts.ts';
import { composeAdmin } from './admin/admin.ts';
import { composeApp } from './app.ts';
import { refuseUnusableClients } from './client-checks.ts';
import { composeClients, prepareClients } from './clients.ts';
import { composeConnecting, upstreamsBy } from './connections/connecting.ts';
import { composeConnections, composeEndConnections, composeRevocationInBackground } from './connections/connections.ts';
import type { Dependencies } from './dependencies.ts';
import { composeEngine } from './engine.ts';
import { composeAssertions } from './grants/assertions.ts';
import { composeMetrics } from './metrics.ts';
import { composePersonalTokens } from './personal-tokens/server.ts';
import { composeResources } from './resources.ts';
import { composeEndings, tellEndings } from './revocation/endings.ts';
import { composeStatus } from './revocation/status-lists.ts';

/** Replacements for tests, and for the server inside the process of a command. */
export interface Overrides {
  readonly clock?: Clock;
  readonly fetch?: Fetch;
  readonly store?: RecordStore;
  /** Only with `store`; absent: one in the memory of this process. */
  readonly directory?: GrantDirectory;
  /** Only with `store`; absent: one in memory. */
  readonly statusStore?: StatusStore;
  /** Only with `store`; absent: limits are counted in this process. */
  readonly createRateLimit?: CreateRateLimit;
  readonly log?: Logger;
  readonly audit?: Audit | undefined;
  readonly connectors?: readonly OpenConnector[];
  readonly tools?: readonly OpenTools[];
  /** False for a server whose changes nobody keeps: the new tokens that an upstream gives for an answer would be lost. */
  readonly checksPersonalTokens?: boolean;
}

/** @throws StartError for every configuration that cannot work */
export async function compose(env: Environment, overrides: Overrides = {}): Promise<Service> {
  const config = readConfig(env, await discoverKinds(new URL('../connectors/', import.meta.url)));
  const log = overrides.log ?? createLogger('auth-server', config.logLevel);
  const clock = overrides.clock ?? systemClock;
  if (config.httpsProxy) log.info({ proxy: config.httpsProxy.host }, 'https requests use a proxy');
  const fetch = overrides.fetch ?? createOutgoingFetch(config);
  const onTrouble = (connector: string, reason: string) =>
    log.warn({ connector, reason }, 'upstream problem that ends no sign-in');
  const others = overrides.connectors?.map(({ id }) => id);
  const access = await composeAccess(config, { clock, log }, others);
  const orgClaims = orgClaimsOf(config.signIn);
  const needs = (id: string) => (orgClaims.has(id) ? withClaims(access.needs(id)) : access.needs(id));
  const configured = [...new Set([...(overrides.connectors ? [] : config.signIn), ...config.tools])];
  const opened = openConnectors(configured, config.issuer, fetch, { clock, needs, onTrouble });
  const connectors = readOrganisations(overrides.connectors ?? opened.connectors, orgClaims);
  const tools = overrides.tools ?? opened.tools;
  const storage = overrides.store
    ? storageOn(overrides.store, { ...overrides, clock })
    : await openStorage(config, { clock, log });
  const { store, directory, statusStore, redis, health } = storage;
  const trail = overrides.audit
    ? undefined
    : await openAudit({
        settings: config,
        service: 'auth-server',
        version: manifest.version,
        redis,
        newId: () => randomBytes(12).toString('base64url'),
        clock,
        log,
        output: process.stdout,
      });
  const audit = overrides.audit ?? trail?.audit ?? (() => {});
  const { meters, endpoint } = (await composeMetrics(config, { redis, health, log, trail })) ?? {};
  const createRateLimit = meters?.limits(storage.createRateLimit) ?? storage.createRateLimit;
  let isDraining = false;
  const isReady = () => !isDraining && health?.takesWrites !== false;
  const pages = createPages(brandOf(config));
  const languageOf = chooseFrom(await discoverLanguages(new URL('../languages/', import.meta.url)));
  const revocation = composeRevocationInBackground(tools, log);
  const dependencies = {
    clock,
    log,
    audit,
    fetch,
    store,
    directory,
    statusStore,
    createRateLimit,
    languageOf,
    pages,
    connectors,
    tools,
    revoke: revocation.revoke,
    access,
    organisations: organisationsBy(orgClaims),
    isReady,
    meters,
    checksPersonalTokens: overrides.checksPersonalTokens ?? true,
  };
  const start = () => composeHandler(config, dependencies);
  const { handler, stop } = await (redis ? patientStart(start) : start()).catch(
    refuseUnusableStore(redis ? 'REDIS_URL' : 'DATA_DIR'),
  );
  tellAccess(config, access, log);
  return {
    log,
    handler: meters?.timed(handler) ?? handler,
    listen: {
      host: config.host,
      port: config.port ?? (Number(new URL(config.issuer).port) || 9000),
      setting: config.port === undefined ? 'ISSUER' : 'PORT',
      maxHeaderSize: config.maxHeaderSize,
    },
    metrics: endpoint,
    url: config.issuer,
    shutdownTimeout: config.shutdownTimeout,
    shutdownLinger: config.shutdownLinger,
    drain: () => {
      isDraining = true;
    },
    finished: revocation.finished,
    close: async () => {
      revocation.stopped();
      await stop();
      await trail?.close();
      await storage.close();
    },
  };
}

/** A store in this process only. */
const storageOn = (
  store: RecordStore,
  { clock, directory, createRateLimit, statusStore }: Overrides & { readonly clock: Clock },
): Storage =>
  closing({
    store,
    directory: directory ?? createSqliteDirectory(':memory:', clock),
    statusStore: statusStore ?? createSqliteStatusStore(':memory:', clock),
    createRateLimit: createRateLimit ?? rateLimitsOn(undefined),
    redis: undefined,
    health: undefined,
  });

/**
 * Redis accepts the connection but denies our commands, or closed it at once; or the disk is full. That is an operator error, not a
 * caller's.
 */
const refuseUnusableStore =
  (setting: string) =>
  (error: unknown): never => {
    if (!(error instanceof StoreUnavailable)) throw error;
    throw new StartError(`${setting}: ${reasonOf(error.cause)}`, { cause: error });
  };

interface HandlerDependencies extends Dependencies {
  readonly statusStore: StatusStore;
  readonly connectors: readonly OpenConnector[];
  readonly tools: readonly OpenTools[];
  /** Ends tokens at their upstreams. */
  readonly revoke: RevokeTokens;
  readonly access: Access;
  readonly organisations: Organisations;
  readonly isReady: () => boolean;
  /** Absent: nothing is counted. */
  readonly meters: Meters | undefined;
  readonly checksPersonalTokens: boolean;
}

interface Handler {
  readonly handler: RequestListener;
  /** Stops the background work. */
  stop(): Promise<void>;
}

/** The engine gets its keys when it is created, so a new key set means a new engine. Running requests finish on the old one. */
async function composeHandler(config: Config, dependencies: HandlerDependencies): Promise<Handler> {
  const { clock, log, audit, store, meters, revoke } = dependencies;
  await refuseUnusableClients(config);
  await prepareClients(config, dependencies);
  const keys = await openKeys({ store, policy: keyPolicyOf(config), clock, log, audit });
  const { cookies } = keys;
  const accounts = composeAccounts(config, dependencies);
  const signedOut = composeSignedOut(config, dependencies);
  const recheck = composeRecheck(config, { ...dependencies, accounts, onOutcome: meters?.onRecheck });
  const endConnections = composeEndConnections(config, dependencies, revoke);
  const passThrough = composeGates(config, { ...dependencies, signedOut, recheck, endConnections });
  const connections = composeConnections(config, { ...dependencies, accounts, onOutcome: meters?.onRenewal });
  const clients = composeClients(config, dependencies);
  const status = composeStatus(config, { ...dependencies, cookieKeys: cookies });
  const connecting = composeConnecting(config, { ...dependencies, connections });
  const upstreamsOf = upstreamsBy(config.exchangePolicy, dependencies.tools);
  const resources = composeResources(config, { ...dependencies, upstreamsOf });
  const personal = await composePersonalTokens(config, { ...dependencies, cookies, resources, accounts, passThrough });
  const endings = composeEndings(config, { ...dependencies, onEnded: tellEndings(dependencies) });
  const people = { accounts, signedOut, passThrough, connections, connecting };
  const capabilities = { ...dependencies, ...status, ...people, endings, clients, resources };
  const assertions = await composeAssertions(config, { ...dependencies, resources });
  const createEngine = composeEngine(config, { ...capabilities, assertions, counts: meters });
  const admin = composeAdmin(config, { ...capabilities, formKey: cookies[0] });
  const createApp = composeApp(config, {
    ...capabilities,
    admin,
    recheck,
    cookieKeys: cookies,
    onSignIn: meters?.onSignIn,
    personal,
  });
  const createHandler = (signing: SigningKeys) => createApp(createEngine({ signing, cookies }), signing[0]);
  let handler = createHandler(keys.signing);
  const stopFollowing = keys.follow((signing) => {
    handler = createHandler(signing);
  });
  const stops = [stopFollowing, ...(dependencies.checksPersonalTokens ? [personal.start()] : [])];
  const stop = async () => {
    await Promise.all(stops.map((end) => end()));
    await admin?.close();
  };
  return { handler: (req, res) => handler(req, res), stop };
}
