/**
 * Owns the pages of the operator in a test: real sessions, rules and accounts behind a real HTTP server, around rows that a test may
 * change and endings that are only noted.
 */
import { randomBytes } from 'node:crypto';
import { errorBoundary } from '@mcp-oauth/shared/http/error-boundary';
import { requestLog } from '@mcp-oauth/shared/http/request-log';
import { createLogger } from '@mcp-oauth/shared/logger';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { serve } from '@mcp-oauth/shared/testing/listen';
import Koa, { type Middleware } from 'koa';
import { brandOf } from '../../../src/branding/brand.ts';
import { composeAccess } from '../../../src/compose/access.ts';
import { readConfig } from '../../../src/config.ts';
import { createAccounts } from '../../../src/federation/account.ts';
import type { Identity } from '../../../src/federation/connector.ts';
import { discoverKinds } from '../../../src/federation/registry.ts';
import { createFormTokens } from '../../../src/http/admin/form-token.ts';
import { adminRoutes } from '../../../src/http/admin/routes.ts';
import { createPageSessions } from '../../../src/http/page-session/page-sessions.ts';
import { createSessionCookie } from '../../../src/http/page-session/session-cookie.ts';
import { createPageSessionRecords } from '../../../src/http/page-session/session-records.ts';
import type { By, Target } from '../../../src/revocation/endings.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { createAdminPages } from '../../../src/views/admin/pages.ts';
import { fakeAdministration, someRows } from '../../administration/administration-fake.ts';
import { ISSUER } from '../../support/running-server.ts';

export const ALICE: Identity = {
  issuer: 'https://acme.example',
  subject: 'alice',
  email: 'alice@example.com',
  verifiedEmails: ['alice@example.com'],
  memberships: { group: ['ops'] },
};

/** @param admins absent: nobody is named */
export async function openSite(admins?: string) {
  const clock = new FakeClock();
  const store = createSqliteStore(':memory:', clock);
  const accounts = createAccounts(store, 100_000);
  const kinds = await discoverKinds(new URL('../../../src/connectors/', import.meta.url));
  const config = readConfig({ NODE_ENV: 'test', ISSUER, ...(admins !== undefined && { ADMINS: admins }) }, kinds);
  const log = createLogger('auth-server', 'silent');
  const access = await composeAccess(config, { clock, log }, ['acme']);
  const pageSessions = createPageSessions({
    issuer: ISSUER,
    clock,
    accounts,
    passThrough: async (account) => ({ account }),
    signedOut: { includes: async () => false },
    records: createPageSessionRecords({ store, clock, random: randomBytes }),
    cookie: createSessionCookie(ISSUER),
    sessions: { find: async () => undefined, end: async () => {} },
    formKey: 'key',
  });
  const rows = someRows();
  const ended: { target: Target; by: By }[] = [];
  const routes = adminRoutes({
    access,
    clock,
    base: '/admin',
    administration: fakeAdministration(rows),
    endings: {
      end: async (target, by) => {
        ended.push({ target, by });
        return { grants: 3 };
      },
    },
    pages: createAdminPages(brandOf({}), '/admin'),
    pageSessions,
    formTokens: createFormTokens({ key: 'key', store, clock }),
  });
  const app = new Koa();
  app.use(requestLog(log) as Middleware);
  app.use(errorBoundary() as Middleware);
  app.use(async (ctx, next) => {
    if (ctx.path !== '/start') return next();
    const at = Math.floor(clock.now() / 1000);
    await pageSessions.start(ctx, { accountId: String(ctx.query.person), since: at, authenticatedAt: at });
    ctx.body = 'started';
  });
  app.use(routes);
  const { url, close } = await serve(app.callback());

  const person = async (accountId: string, identity: Identity) =>
    accounts.save(access.stored({ accountId, connector: 'acme', identity }));
  await person('alice', ALICE);

  /** A browser with a new session, or without one. */
  async function browse(accountId?: string) {
    const started = accountId === undefined ? undefined : await fetch(`${url}/start?person=${accountId}`);
    const cookie = started?.headers.getSetCookie().map((line) => line.split(';')[0]) ?? [];
    const ask = (path: string, init: RequestInit = {}) =>
      fetch(url + path, {
        redirect: 'manual',
        ...init,
        headers: { cookie: cookie.join('; '), accept: 'text/html', ...init.headers },
      });
    /** Posts a form to the path. */
    const post = (
      path: string,
      fields: Readonly<Record<string, string>>,
      headers: Readonly<Record<string, string>> = {},
    ) => ask(path, { method: 'POST', body: new URLSearchParams(fields), headers: { origin: ISSUER, ...headers } });
    /** The hidden fields of the form at the path. */
    const fieldsAt = async (path: string) => {
      const markup = await (await ask(path)).text();
      return Object.fromEntries(
        [...markup.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [
          name,
          value,
        ]),
      ) as Record<string, string>;
    };
    return { ask, post, fieldsAt };
  }

  return { clock, rows, ended, person, browse, [Symbol.asyncDispose]: close };
}
