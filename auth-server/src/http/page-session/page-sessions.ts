/**
 * Owns who is signed in on the pages of this server: the session of the pages, or the browser session of the engine. It ends with a
 * logout at the upstream (OpenID Connect Back-Channel Logout 1.0 §2.7), and every request asks the gates whether the person may
 * still come in. A page that ends things asks for a sign-in that is not old, for which only a session of the pages counts.
 */
import { createHmac } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { urlPath } from '@mcp-oauth/shared/contract';
import { equalInConstantTime } from '@mcp-oauth/shared/crypto/constant-time';
import { readBounded } from '@mcp-oauth/shared/http/request/bounded-body';
import type { Context } from 'koa';
import type { PassThrough } from '../../access/gate.ts';
import type { Account, Accounts } from '../../federation/account.ts';
import { said } from '../../languages/language.ts';
import { PageError } from '../../languages/page-error.ts';
import type { BrowserSession, BrowserSessions } from '../../logout/browser-sessions.ts';
import type { SignedOut } from '../../logout/signed-out.ts';
import { seeOther } from '../sign-in/redirect.ts';
import { refuseOtherSites } from '../sign-in/same-site.ts';
import { pathToReturnTo } from './page-path.ts';
import type { SessionCookie } from './session-cookie.ts';
import { digestOf, type PageSessionRecord, type PageSessionRecords } from './session-records.ts';

export interface PageSession {
  /** Names the session for the token of its forms; it opens none. */
  readonly id: string;
  readonly account: Account;
  /** When the person signed in, in seconds since the epoch. */
  readonly since: number;
}

interface RequireOptions {
  readonly maxAge?: number;
  readonly signedInWithin?: number;
}

export interface PageSessions {
  /**
   * The person of this request, whose form, if it is one, is not from another site.
   * @param maxAge seconds since the person proved at the upstream who they are. Absent: any session counts
   * @param signedInWithin seconds since the upstream last said what it knows of the person, without a question. Absent: any time
   * @returns `undefined` if the browser was sent to sign in: there is nothing left to answer
   */
  require(ctx: Context, options?: RequireOptions): Promise<PageSession | undefined>;
  /** For the hidden field `token` of each form of the session. */
  tokenOf(session: PageSession): string;
  /** The form of a page that showed this session. @throws PageError 403 if it has not its token */
  readForm(ctx: Context, session: PageSession): Promise<URLSearchParams>;
  /** Begins a session after a sign-in, under a new id, and ends the earlier one of this browser. */
  start(ctx: Context, record: PageSessionRecord): Promise<void>;
  /** The person of this browser, without the question whether they may still come in. */
  find(ctx: Context): Promise<BrowserSession | undefined>;
  /** Ends the session of this browser in both forms: that of the pages, and that of the engine. */
  end(ctx: Context): Promise<void>;
}

export interface PageSessionDependencies {
  readonly issuer: string;
  readonly clock: Clock;
  readonly accounts: Pick<Accounts, 'find'>;
  readonly passThrough: PassThrough;
  readonly signedOut: Pick<SignedOut, 'includes'>;
  readonly records: PageSessionRecords;
  readonly cookie: SessionCookie;
  /** The browser sessions of the engine. */
  readonly sessions: BrowserSessions;
  /** Signs the forms; the same on all replicas. */
  readonly formKey: string;
}

/** Maximum bytes of a form. */
const LIMIT = 4_096;

/** A session of either form. */
type Found = BrowserSession & Pick<PageSessionRecord, 'authenticatedAt'>;

export function createPageSessions(dependencies: PageSessionDependencies): PageSessions {
  const { issuer, clock, formKey, records, cookie, sessions, signedOut } = dependencies;

  async function findOwn(ctx: Context): Promise<Found | undefined> {
    const id = cookie.read(ctx);
    const found = id === undefined ? undefined : await records.find(id);
    if (id === undefined || !found) return undefined;
    if (await signedOut.includes(found)) {
      await records.end(id);
      return undefined;
    }
    return { ...found, uid: digestOf(id) };
  }
  /** Of two people who signed in with one browser it is the later one. */
  async function find(ctx: Context): Promise<Found | undefined> {
    const [own, engine] = await Promise.all([findOwn(ctx), sessions.find(ctx)]);
    if (!own || !engine) return own ?? engine;
    return engine.accountId !== own.accountId && engine.since > own.since ? engine : own;
  }
  async function endOwn(ctx: Context): Promise<void> {
    const id = cookie.read(ctx);
    if (id === undefined) return;
    await records.end(id);
    cookie.clear(ctx);
  }
  async function admitted(ctx: Context, found: Found): Promise<PageSession | undefined> {
    const account = await dependencies.accounts.find(found.accountId);
    const passage = account && (await dependencies.passThrough(account, 'session'));
    if (passage && !passage.refusal) return { id: found.uid, account: passage.account, since: found.since };
    await endOwn(ctx);
    return undefined;
  }
  const tokenOf = ({ id }: PageSession): string =>
    createHmac('sha256', formKey)
      .update(JSON.stringify(['page', id]))
      .digest('base64url');

  return {
    require: async (ctx, { maxAge, signedInWithin } = {}) => {
      if (ctx.method !== 'GET' && ctx.method !== 'HEAD') refuseOtherSites(ctx, issuer);
      const found = await find(ctx);
      const isWithin = (limit: number | undefined, since = 0) => limit === undefined || seconds(clock) - since <= limit;
      const isRecent = isWithin(maxAge, found?.authenticatedAt) && isWithin(signedInWithin, found?.since);
      const session = found && isRecent ? await admitted(ctx, found) : undefined;
      if (session) return session;
      const query = new URLSearchParams({ to: pathToReturnTo(ctx), ...(maxAge !== undefined && { again: '1' }) });
      seeOther(ctx, `${urlPath(issuer)}/sign-in?${query}`);
      return undefined;
    },
    tokenOf,
    readForm: async (ctx, session) => {
      const form = new URLSearchParams((await readBounded(ctx, LIMIT)).toString('utf8'));
      if (equalInConstantTime(form.get('token') ?? '', tokenOf(session))) return form;
      throw new PageError(403, 'invalid_request', said('outOfDate'), {
        reason: 'form token missing or of another page',
        next: said('openPageAgain'),
      });
    },
    start: async (ctx, record) => {
      await endOwn(ctx);
      cookie.set(ctx, await records.create(record));
    },
    find,
    end: async (ctx) => {
      await endOwn(ctx);
      await sessions.end(ctx);
    },
  };
}
