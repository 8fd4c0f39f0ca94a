/**
 * Owns the port between our pages and the authorization engine: what an authorization request asks of a person, and the
 * three ways it can end. Steps never call one another; each ends in a redirect (design: one page before the upstream).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { issuerPath } from '@mcp-oauth/shared/contract';

/** An authorization request that waits for a person, as the sign-in page shows it. */
export interface PendingInteraction {
  readonly uid: string;
  readonly client: {
    readonly id: string;
    /** As the client calls itself: text that anybody may have chosen. */
    readonly name: string | undefined;
    /** Whether the operator wrote the client down, and so its name. */
    readonly byOperator?: boolean;
    /** The host that publishes the client’s metadata, where there is one: not a matter of the client’s word. */
    readonly host?: string | undefined;
    /**
     * When the copy was fetched that the operator has put in the place of the client’s metadata, in seconds since the epoch.
     * Where it comes from, not what it says: that is in `identity`, which is what is approved.
     */
    readonly copiedAt?: number | undefined;
    /** All that the client says of itself, as it stands now: its name, its pages, its addresses, its keys. */
    readonly identity: Readonly<Record<string, unknown>>;
  };
  readonly redirectUri: string;
  /** The resource that is asked for: its canonical identifier and name. */
  readonly resource: { readonly identifier: string; readonly name: string };
  /** Resource scopes that will be granted, in words. */
  readonly scopes: readonly { readonly name: string; readonly description: string }[];
  /** Scopes of this server itself, such as `openid`: they ask nothing of the resource, so the page does not list them. */
  readonly ownScopes?: readonly string[];
  /** The account of a live session that may approve without going to an upstream; absent when sign-in is needed. */
  readonly accountId: string | undefined;
  /** Whether the client wants the person to choose the account (`prompt=select_account`). */
  readonly choosesAccount?: boolean;
}

/** One request and the response to it, as node has them; a Koa context is one. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** RFC 6749 §4.1.2.1 */
type Refusal = 'access_denied' | 'temporarily_unavailable' | 'server_error';

/** `approve` and `refuse` write the redirect to `res` themselves: set `ctx.respond = false` before. */
export interface Interactions {
  /**
   * @param uid the interaction that the request is about
   * @throws HttpError 400 when it is over or unknown, or when this browser did not send its cookie
   */
  find(exchange: Exchange, uid: string): Promise<PendingInteraction>;
  /** Signs `accountId` in, grants and remembers what was shown, which is `pending`, and sends the browser back to the engine. */
  approve(exchange: Exchange, pending: PendingInteraction, accountId: string): Promise<void>;
  /** Sends the browser to the client with an error of RFC 6749 §4.1.2.1. */
  refuse(exchange: Exchange, error: Refusal, description: string): Promise<void>;
}

/** Where the page of a pending interaction is at our host. */
export const interactionPath = (issuer: string, uid: string): string => `${issuerPath(issuer)}/interaction/${uid}`;
