/**
 * Owns the streams on which clients learn of changes: their owners, their filters, and their end (MCP 2026-07-28
 * basic/patterns/subscriptions).
 */

import type { Clock } from '@mcp-oauth/shared/clock';
import { INVALID_PARAMS } from '@mcp-oauth/shared/json-rpc-codes';
import { normalUri } from '@mcp-oauth/shared/network/normal-uri';
import { jsonText } from '@mcp-oauth/shared/text/json-text';
import {
  type Implementation,
  isSpecType,
  SERVER_INFO_META_KEY,
  SUBSCRIPTION_ID_META_KEY,
  type SubscriptionFilter,
} from '@modelcontextprotocol/server';
import type { Allowance } from '../../allowance/allowance.ts';
import { type Principal, personOf } from '../../authorization/principal.ts';
import type { IsRevoked } from '../../authorization/status/reference.ts';
import { RpcError } from '../call.ts';
import type { Change, Changes } from '../changes/changes.ts';
import { notificationOf } from '../changes/notification.ts';
import type { McpRequest } from '../endpoints.ts';
import type { Accepted } from '../wire/accepted.ts';
import { EventStream } from '../wire/event-stream.ts';
import type { StatelessRequest } from './request.ts';
import { noCapacity, notAcceptable, tooMany } from './request-errors.ts';

interface SubscriptionLimits {
  /** Maximum number of concurrent streams. */
  readonly maxSubscriptions: number;
  /** Maximum number of concurrent streams of one person, across all clients. */
  readonly maxSubscriptionsPerPrincipal: number;
  /** Seconds between two keep-alives on an open stream. */
  readonly keepAlive: number;
}

export interface SubscriptionsDependencies {
  readonly changes: Changes;
  /** The name and version that the server sends to clients. */
  readonly serverInfo: Implementation;
  readonly limits: SubscriptionLimits;
  readonly allowance: Allowance;
  readonly clock: Clock;
}

export interface Subscriptions {
  /** Answers a `subscriptions/listen` with a stream. @throws RpcError when the request is refused */
  open(asked: StatelessRequest, accepted: Accepted, request: McpRequest): void;
  /** Number of open streams. */
  count(): number;
  /** Sends a keep-alive on every stream, and ends those that expire before the next call. */
  tick(): void;
  /** Ends the streams whose token was revoked. @returns their number */
  revoke(isRevoked: IsRevoked): number;
  /** Ends every stream, now and whenever a client opens one later. @returns the number of ended streams */
  drain(): number;
}

interface Subscription {
  readonly id: string | number;
  readonly stream: EventStream;
  readonly owner: string;
  readonly principal: Principal;
  readonly wants: SubscriptionFilter;
  /** Normalized: the author may announce a URI with another spelling. */
  readonly uris: ReadonlySet<string>;
  /** Milliseconds since the epoch. */
  readonly endsAt: number;
}

/** Seconds that a stream may outlive the token that opened it. */
const GRACE = 60;

/** Maximum number of resources that one stream can follow, and maximum characters of all their URIs. */
const MOST_URIS = 1_000;
const MOST_CHARACTERS = 65_536;

export function createSubscriptions(dependencies: SubscriptionsDependencies): Subscriptions {
  const { changes, limits, allowance, clock } = dependencies;
  const open = new Set<Subscription>();
  const ofOwner = new Map<string, number>();
  let draining = false;
  const unsubscribe = changes.subscribe((change) => {
    const uri = change.kind === 'resource' ? normalUri(change.uri) : '';
    for (const subscription of open) if (isWanted(subscription, change, uri)) tell(subscription, change);
  });

  const admit = (owner: string): void => {
    const { maxSubscriptions: most, maxSubscriptionsPerPrincipal: mostOfOne } = limits;
    if (open.size >= most) throw noCapacity(allowance.reached('MAX_SUBSCRIPTIONS', most));
    if ((ofOwner.get(owner) ?? 0) < mostOfOne) return;
    throw tooMany(allowance.reached('MAX_SUBSCRIPTIONS_PER_PRINCIPAL', mostOfOne));
  };
  const count = (owner: string, change: 1 | -1): void => {
    const left = (ofOwner.get(owner) ?? 0) + change;
    if (left > 0) ofOwner.set(owner, left);
    else ofOwner.delete(owner);
  };
  const end = (subscription: Subscription): void => {
    open.delete(subscription);
    const { id, stream } = subscription;
    const _meta = { [SUBSCRIPTION_ID_META_KEY]: id, [SERVER_INFO_META_KEY]: dependencies.serverInfo };
    stream.send({ data: jsonText({ jsonrpc: '2.0', id, result: { resultType: 'complete', _meta } }) });
    stream.end();
  };
  return {
    open: ({ id, params }, accepted, { res, principal }) => {
      if (!accepted.stream) throw notAcceptable();
      const wants = honored(params.notifications);
      const owner = personOf(principal);
      admit(owner);
      // A connection that has already closed emits no event later.
      if (res.destroyed) return;
      const closed = () => {
        open.delete(subscription);
        count(owner, -1);
      };
      const stream = new EventStream(res, closed, allowance.share(principal));
      stream.begin();
      const endsAt = (principal.expiresAt + GRACE) * 1000;
      const subscription = {
        id,
        stream,
        owner,
        principal,
        wants,
        uris: new Set(wants.resourceSubscriptions?.map(normalUri)),
        endsAt,
      };
      count(owner, 1);
      open.add(subscription);
      notify(subscription, 'notifications/subscriptions/acknowledged', { notifications: wants });
      if (draining || Object.keys(wants).length === 0) end(subscription);
    },
    count: () => open.size,
    tick: () => {
      const next = clock.now() + limits.keepAlive * 1000;
      for (const subscription of open) {
        if (subscription.endsAt <= next) end(subscription);
        else subscription.stream.keepAlive();
      }
    },
    revoke: (isRevoked) => {
      const revoked = [...open].filter(({ principal }) => isRevoked(principal));
      for (const subscription of revoked) end(subscription);
      return revoked.length;
    },
    drain: () => {
      draining = true;
      unsubscribe();
      const ending = [...open];
      for (const subscription of ending) end(subscription);
      return ending.length;
    },
  };
}

/** The part of the client's filter that the server honors. */
function honored(filter: unknown): SubscriptionFilter {
  if (!isSpecType.SubscriptionFilter(filter)) throw new RpcError(INVALID_PARAMS, 'Invalid params: notifications');
  const { toolsListChanged, promptsListChanged, resourcesListChanged, resourceSubscriptions = [] } = filter;
  if (resourceSubscriptions.length > MOST_URIS) {
    throw new RpcError(INVALID_PARAMS, `Invalid params: more than ${MOST_URIS} resourceSubscriptions`);
  }
  if (resourceSubscriptions.reduce((sum, uri) => sum + uri.length, 0) > MOST_CHARACTERS) {
    const message = `Invalid params: resourceSubscriptions with more than ${MOST_CHARACTERS} characters together`;
    throw new RpcError(INVALID_PARAMS, message);
  }
  return {
    ...(toolsListChanged && { toolsListChanged }),
    ...(promptsListChanged && { promptsListChanged }),
    ...(resourcesListChanged && { resourcesListChanged }),
    ...(resourceSubscriptions.length > 0 && { resourceSubscriptions }),
  };
}

/** @param uri normalized URI of the resource */
function isWanted({ wants, uris }: Subscription, change: Change, uri: string): boolean {
  return change.kind === 'resource' ? uris.has(uri) : wants[`${change.kind}ListChanged`] === true;
}

function tell(subscription: Subscription, change: Change): void {
  const { method, params } = notificationOf(change);
  notify(subscription, method, params);
}

function notify({ id, stream }: Subscription, method: string, params: object = {}): void {
  const _meta = { [SUBSCRIPTION_ID_META_KEY]: id };
  stream.send({ data: jsonText({ jsonrpc: '2.0', method, params: { ...params, _meta } }) });
}
