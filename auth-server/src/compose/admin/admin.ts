/** Owns how the pages of the operator are created from the settings. Without anybody in ADMINS there are none, and nothing is noted. */
import { setTimeout } from 'node:timers/promises';
import type { Audit } from '@mcp-oauth/shared/audit/entry';
import { urlPath } from '@mcp-oauth/shared/contract';
import type { Middleware } from 'koa';
import manifest from '../../../package.json' with { type: 'json' };
import type { Access } from '../../access/access.ts';
import { createAdministration } from '../../administration/administration.ts';
import type { ClientRow } from '../../administration/overview.ts';
import { noting } from '../../administration/refusal-in-audit.ts';
import { createRecentRefusals } from '../../administration/refusals.ts';
import { brandOf } from '../../branding/brand.ts';
import type { FindClientFacts } from '../../clients/client-facts.ts';
import type { Config } from '../../config.ts';
import type { Accounts } from '../../federation/account.ts';
import { createFormTokens } from '../../http/admin/form-token.ts';
import { adminRoutes } from '../../http/admin/routes.ts';
import type { PageSessions } from '../../http/page-session/page-sessions.ts';
import { createKeyStore } from '../../keys/key-store.ts';
import type { Endings } from '../../revocation/endings.ts';
import type { StatusLists } from '../../revocation/status-lists.ts';
import { LIST_SIZE, type StatusStore } from '../../revocation/status-store.ts';
import { createAdminPages } from '../../views/admin/pages.ts';
import type { Clients } from '../clients.ts';
import type { Dependencies } from '../dependencies.ts';

export interface AdminDependencies extends Pick<Dependencies, 'clock' | 'log' | 'store' | 'directory'> {
  readonly statusStore: Pick<StatusStore, 'version'>;
  readonly statusLists: Pick<StatusLists, 'newest'>;
  readonly access: Pick<Access, 'hasAdmins' | 'isAdmin'>;
  readonly accounts: Accounts;
  readonly clients: Clients;
  readonly endings: Pick<Endings, 'end'>;
  /** Signs the forms; the same on all replicas. */
  readonly formKey: string;
}

export interface Admin {
  /** The audit, whose refusals the operator sees as well. */
  noting(audit: Audit): Audit;
  routes(pageSessions: PageSessions): Middleware;
  /** Stores what was noted. */
  close(): Promise<void>;
}

/** Milliseconds between two writes of refusals by one process. */
const PAUSE = 1_000;

export function composeAdmin(config: Config, dependencies: AdminDependencies): Admin | undefined {
  const { access, clock, log, store, directory, accounts, clients, endings, formKey: key } = dependencies;
  const { statusStore, statusLists } = dependencies;
  if (!access.hasAdmins) return undefined;
  const closing = new AbortController();
  const refusals = createRecentRefusals({
    store,
    clock,
    pause: () => setTimeout(PAUSE, undefined, { signal: closing.signal, ref: false }).catch(() => {}),
    onLost: (lost, err) => log.warn({ lost, reason: String(err) }, 'refusals not stored for the operator'),
  });
  const base = `${urlPath(config.issuer)}/admin`;
  const administration = createAdministration({
    clock,
    directory,
    accounts,
    describeClient: async (clientId) => describe(await clients.facts(clientId)),
    keyrings: async () => ({
      signing: (await createKeyStore(store).load())?.ring,
      // Switched off, the keys of personal tokens are stored and not published.
      personal: config.personalTokens === 'off' ? undefined : (await createKeyStore(store, 'personal').load())?.ring,
    }),
    refusals,
    statusList: async () => {
      const id = statusLists.newest();
      const version = await statusStore.version(id);
      return version === undefined ? undefined : { id, version, size: LIST_SIZE };
    },
    versions: {
      server: manifest.version,
      engine: manifest.dependencies['oidc-provider'],
      node: process.version,
    },
  });
  const pages = createAdminPages(brandOf(config), base);
  const formTokens = createFormTokens({ key, store, clock });
  return {
    noting: (audit) => noting(audit, refusals),
    routes: (pageSessions) =>
      adminRoutes({ access, clock, base, administration, endings, pages, pageSessions, formTokens }),
    close: async () => {
      closing.abort();
      await refusals.settled();
    },
  };
}

const describe = (facts: Awaited<ReturnType<FindClientFacts>>): Pick<ClientRow, 'name' | 'origin'> => {
  if (!facts) return { origin: 'removed' };
  const { name, byOperator, host } = facts;
  return { name, origin: byOperator ? 'operator' : host === undefined ? 'registered' : 'published' };
};
