/**
 * Owns the port between the pages and the engine: what an authorization request asks of a person, and the three ways in which it
 * can end. Steps never call one another; each ends in a redirect (design: one page before the upstream).
 */
import { hash } from 'node:crypto';
import { type PersonClaim, urlPath } from '@mcp-oauth/shared/contract';
import type { HttpExchange } from '@mcp-oauth/shared/http/exchange';
import type { ToolsOfScope } from '../resources/scope-tools.ts';
import type { UpstreamScope } from '../resources/upstream-scope.ts';

/** An authorization request that waits for a person, as the sign-in page shows it. */
export interface PendingInteraction {
  readonly uid: string;
  readonly client: {
    readonly id: string;
    /** The name that the client chose for itself: not trustworthy. */
    readonly name: string | undefined;
    /** Whether the operator configured the client, and so its name. */
    readonly byOperator?: boolean;
    /** The host that publishes the client’s metadata, if there is one: verified, not claimed by the client. */
    readonly host?: string | undefined;
    /**
     * When the operator's copy that replaces the client’s metadata was fetched, in seconds since the epoch. It is not part of
     * the approval: that covers the content, which is in `identity`.
     */
    readonly copiedAt?: number | undefined;
    /** The current metadata of the client: its name, its pages, its addresses, its keys. */
    readonly identity: Readonly<Record<string, unknown>>;
  };
  /** Empty if a device asks, which gets no answer in the browser. */
  readonly redirectUri: string;
  /** The device that asks, by the code that it shows (RFC 8628 §3.3); absent: a client that gets its answer by a redirect. */
  readonly userCode?: string | undefined;
  /** The requested resource: its canonical identifier and name. */
  readonly resource: { readonly identifier: string; readonly name: string };
  /** Resource scopes that will be granted. */
  readonly scopes: readonly {
    readonly name: string;
    readonly description: string;
    /** Whether the person cannot leave it out: without it the approval would be worth nothing. */
    readonly isFixed?: boolean;
    /** The tools behind it, if the resource describes them: text for the page, not a fact that is approved. */
    readonly tools?: ToolsOfScope | undefined;
    /** The account of the person that tools may use with this scope. Absent: the scope is about the resource alone. */
    readonly upstream?: UpstreamScope | undefined;
  }[];
  /** Names of the scopes that the client asked for and the person left out. */
  readonly leftOut?: readonly string[];
  /** Scopes of this server itself, such as `openid`: they do not concern the resource, so the page does not list them. */
  readonly ownScopes?: readonly string[];
  /** What the resource will learn about the person from the access token. */
  readonly claims?: readonly PersonClaim[];
  /** The account of a live session that may approve without going to an upstream; absent when sign-in is needed. */
  readonly accountId: string | undefined;
  /** Whether the client wants the person to choose the account (`prompt=select_account`). */
  readonly choosesAccount?: boolean;
}

export interface ApprovingPerson {
  readonly accountId: string;
  /** When the person signed in, in seconds since the epoch. Absent: the session of this browser goes on. */
  readonly since?: number | undefined;
  /** The organisation for which the person acts; absent: none is named. */
  readonly organisation?: string | undefined;
  /** Identifies the session at the upstream. */
  readonly upstreamSession?: string | undefined;
}

/** RFC 6749 §4.1.2.1 */
type AuthorizationErrorCode = 'access_denied' | 'temporarily_unavailable' | 'server_error';

/** `approve` and `refuse` write the redirect to `res` themselves: set `ctx.respond = false` before. */
export interface Interactions {
  /**
   * @param uid the interaction that the request is about
   * @throws HttpError 400 when it is over or unknown, or when this browser did not send its cookie
   */
  find(exchange: HttpExchange, uid: string): Promise<PendingInteraction>;
  /**
   * Grants and stores what was shown, which is `pending`, and sends the browser back to the engine.
   * @param person who signed in just now, or whose session it is
   */
  approve(exchange: HttpExchange, pending: PendingInteraction, person: ApprovingPerson): Promise<void>;
  /** Ends the session of this browser; the request goes on, and the page offers the ways to sign in. */
  signOut(exchange: HttpExchange): Promise<void>;
  /** Sends the browser to the client with an error of RFC 6749 §4.1.2.1. */
  refuse(exchange: HttpExchange, error: AuthorizationErrorCode, description: string): Promise<void>;
}

/** Connects the requests of one sign-in in the audit, where nobody is to learn the id itself. */
export const flowOf = (uid: string): string => hash('sha256', uid, 'base64url').slice(0, 22);

/** Path of the page of a pending interaction. */
export const interactionPath = (issuer: string, uid: string): string => `${urlPath(issuer)}/interaction/${uid}`;
