/** Owns how the engine validates clients and copies of client documents before they are stored: at start, and in commands. */
import { systemClock } from '@mcp-oauth/shared/clock';
import { createLogger } from '@mcp-oauth/shared/logger';
import { createOutgoingFetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { ConfigError, type Problem } from '@mcp-oauth/shared/settings/config';
import { passThrough } from '../access/gate.ts';
import { brandOf } from '../branding/brand.ts';
import type { Judge } from '../client-documents/document.ts';
import type { Client } from '../clients/client.ts';
import type { Config } from '../config.ts';
import { organisationsBy } from '../federation/claims/organisations.ts';
import { generateSigningKey } from '../keys/signing-key.ts';
import { english } from '../languages/english.ts';
import type { Engine } from '../provider/provider.ts';
import { createSqliteDirectory } from '../storage/directory/sqlite.ts';
import { rateLimitsOn } from '../storage/rate-limit.ts';
import { createSqliteStore } from '../storage/sqlite.ts';
import { createSqliteStatusStore } from '../storage/status/sqlite.ts';
import { createPages } from '../views/pages.ts';
import { composeAccounts, composeSignedOut } from './accounts.ts';
import { composeClients } from './clients.ts';
import { composeEngine } from './engine.ts';
import { NO_ASSERTIONS } from './grants/assertions.ts';
import { composeResources } from './resources.ts';
import { composeStatus } from './revocation/status-lists.ts';

/** Runs `work` with a temporary engine without stored state, to validate clients. */
async function withTemporaryEngine<T>(config: Config, work: (engine: Engine) => T | Promise<T>): Promise<T> {
  const clock = systemClock;
  const store = createSqliteStore(':memory:', clock);
  const dependencies = {
    clock,
    store,
    directory: createSqliteDirectory(':memory:', clock),
    log: createLogger('auth-server', 'silent'),
    audit: () => {},
    fetch: createOutgoingFetch(config),
    createRateLimit: rateLimitsOn(undefined),
    languageOf: () => english,
    pages: createPages(brandOf({})),
  };
  const accounts = composeAccounts(config, dependencies);
  const signedOut = composeSignedOut(config, dependencies);
  const clients = composeClients(config, dependencies);
  const statusStore = createSqliteStatusStore(':memory:', clock);
  const { statusLists } = composeStatus(config, { statusStore, clock, cookieKeys: ['unused'] });
  const key = await generateSigningKey(config.signingAlgorithm);
  // No person signs in.
  const access = { permitted: () => [] };
  const createEngine = composeEngine(config, {
    ...dependencies,
    accounts,
    signedOut,
    passThrough: passThrough([]),
    access,
    organisations: organisationsBy(new Map()),
    resources: composeResources(config, dependencies),
    clients,
    statusLists,
    endings: { end: async () => ({ grants: 0 }) },
    assertions: NO_ASSERTIONS,
  });
  try {
    return await work(createEngine({ signing: [key], cookies: ['unused'] }));
  } finally {
    await dependencies.directory.close();
    await statusStore.close();
    await store.close();
  }
}

/** The engine's problems with clients that the operator configures, reported at start instead of at their first use. */
export const judgeClients = (config: Config, clients: readonly Client[]): Promise<readonly Problem[]> =>
  withTemporaryEngine({ ...config, clients }, (engine) =>
    clients.flatMap((client) => {
      const problem = engine.problemWith(client);
      return problem ? [{ env: 'CLIENTS', message: `client ${JSON.stringify(client.client_id)}: ${problem}` }] : [];
    }),
  );

/** Runs `work` with a function that validates the content of a client document as the server does. */
export const withDocumentJudge = <T>(config: Config, work: (judge: Judge) => Promise<T>): Promise<T> =>
  withTemporaryEngine({ ...config, clients: [] }, (engine) => work(engine.judgeDocument));

/** @throws ConfigError */
export async function refuseUnusableClients(config: Config): Promise<void> {
  if (config.clients.length === 0) return;
  const problems = await judgeClients(config, config.clients);
  if (problems.length > 0) throw new ConfigError(problems);
}
