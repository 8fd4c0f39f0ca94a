/**
 * Owns the one operation that ends the access of a grant, a client, a person or a signing key, or all access from before a moment.
 * Pages, commands and this server itself use it. First a moment is set, then the grants that are listed are ended. A grant is listed before it is written, so a concurrent
 * approval or refresh either ends or was begun afterwards. An ending that was interrupted may be repeated.
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { HttpError } from '@mcp-oauth/shared/errors';
import type { EndedBefore, Scope } from './ended-before.ts';
import type { GrantDirectory, Selection } from './grant-directory.ts';

export type Target =
  | { readonly kind: 'grant'; readonly id: string }
  /** Before its removal: it gets no token of its own any more, although other processes know it for some seconds yet. */
  | { readonly kind: 'client'; readonly id: string; readonly isRemoved?: boolean }
  | { readonly kind: 'person'; readonly accountId: string }
  | { readonly kind: 'key'; readonly kid: string }
  /** Whatever began before, in seconds since the epoch. */
  | { readonly kind: 'everything'; readonly before: number };

/** Who or what started an ending. */
export interface By {
  readonly origin:
    | 'page'
    | 'cli'
    | 'admin'
    /** The identity provider reported a logout. */
    | 'logout'
    /** A code or refresh token was used a second time (RFC 9700 §4.14.2). */
    | 'refresh alarm'
    /** At a refresh a rule, the identity provider or SCIM refused the person. */
    | 'refusal'
    /** The identity provider deactivated the person over SCIM. */
    | 'provisioning'
    /** The client revoked its token (RFC 7009) or its registration (RFC 7592). */
    | 'client';
  /** The person or client, if one is known. */
  readonly actor?: string | undefined;
  /** Of the request. */
  readonly reference?: string | undefined;
  /** Address of the caller. */
  readonly from?: string | undefined;
}

export interface Ended {
  /** Grants that were in use and have ended. */
  readonly grants: number;
}

/** What is told of an ending: once, or once for each part of one that was interrupted. */
export interface Ending extends Ended {
  readonly target: Target;
  readonly by: By;
  /** Whose grant it was; absent: unknown, or more than one. */
  readonly accountId?: string | undefined;
  readonly clientId?: string | undefined;
}

export interface Endings {
  /** @throws HttpError for a key that there is not, and for a moment in the future */
  end(target: Target, by: By): Promise<Ended>;
}

export interface EndingsDependencies {
  readonly clock: Clock;
  readonly directory: Pick<GrantDirectory, 'ids' | 'get' | 'remove'>;
  readonly endedBefore: Pick<EndedBefore, 'set'>;
  /** Revokes a grant by its key in the store. @returns whether it was in use */
  readonly revokeGrant: (id: string) => Promise<boolean>;
  /** Ends the tokens that a client has got for itself (RFC 6749 §4.4), and gives a removed one no others; absent: those of all clients. */
  readonly revokeMachines: (clientId?: string, isRemoved?: boolean) => Promise<void>;
  /** Ends the browser sessions of a person, and whatever else the person has besides grants. */
  readonly endPerson: (accountId: string) => Promise<void>;
  /** Takes from a client the accounts that the person allowed it to use with tools, until the person allows it again. */
  readonly takeAccounts: (accountId: string, clientId: string) => Promise<void>;
  /** Ends all browser sessions that began before, and whatever else is no grant. */
  readonly endSessionsBefore: (moment: number) => Promise<void>;
  /** Takes a key out of the key set. */
  readonly endKey: (kid: string) => Promise<void>;
  readonly onEnded: (ending: Ending) => void;
}

/** Origins that say something about the client. A client that signs out, and a person who may not come in, say nothing about it. */
const DECIDED: ReadonlySet<By['origin']> = new Set(['page', 'cli', 'admin', 'refresh alarm']);

/** How much of the listed grants ends. */
interface Extent {
  /** Only those that began before, in seconds since the epoch. Absent: all. */
  readonly before?: number;
  /** Whether somebody decided about the clients, which then lose the accounts of the people too. */
  readonly isDecided: boolean;
}

/** What an ending has done so far. */
interface Progress {
  grants: number;
  accountId?: string | undefined;
  clientId?: string | undefined;
}

export function createEndings(dependencies: EndingsDependencies): Endings {
  const { clock, directory, endedBefore, revokeGrant, onEnded } = dependencies;

  async function endGrant(id: string, progress: Progress): Promise<void> {
    if (await revokeGrant(id)) progress.grants += 1;
    await directory.remove(id);
  }

  async function endGrants(selection: Selection, progress: Progress, { before, isDecided }: Extent): Promise<void> {
    const endOne = async (id: string) => {
      const entry = before !== undefined || isDecided ? await directory.get(id) : undefined;
      // Without an entry it has expired, or it is being approved at this moment.
      if (before !== undefined && !(entry && entry.createdAt < before)) return;
      if (entry && isDecided) await dependencies.takeAccounts(entry.accountId, entry.clientId);
      await endGrant(id, progress);
    };
    for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
      const { items, next } = await directory.ids(selection, cursor);
      const failed = (await Promise.allSettled(items.map(endOne))).find(({ status }) => status === 'rejected');
      if (failed) throw (failed as PromiseRejectedResult).reason;
      cursor = next;
    }
  }

  async function endAll(
    scope: Scope,
    selection: Selection,
    extent: Required<Extent>,
    progress: Progress,
  ): Promise<void> {
    const { before, isDecided } = extent;
    await endedBefore.set(scope, before);
    await endGrants(selection, progress, { ...(scope.kind === 'everything' && { before }), isDecided });
  }

  async function run(target: Target, by: By, progress: Progress): Promise<void> {
    const now = seconds(clock);
    const isDecided = DECIDED.has(by.origin);
    switch (target.kind) {
      case 'grant': {
        const entry = await directory.get(target.id);
        Object.assign(progress, { accountId: entry?.accountId, clientId: entry?.clientId });
        if (entry && isDecided) await dependencies.takeAccounts(entry.accountId, entry.clientId);
        return endGrant(target.id, progress);
      }
      case 'client': {
        const { id: clientId, isRemoved } = target;
        progress.clientId = clientId;
        await endAll({ kind: 'client', clientId }, { clientId }, { before: now, isDecided }, progress);
        return dependencies.revokeMachines(clientId, isRemoved);
      }
      case 'person': {
        const { accountId } = target;
        progress.accountId = accountId;
        await dependencies.endPerson(accountId);
        // Its accounts have ended as a whole.
        return endAll({ kind: 'person', accountId }, { accountId }, { before: now, isDecided: false }, progress);
      }
      case 'key':
        return dependencies.endKey(target.kid);
      case 'everything': {
        const { before } = target;
        // Whatever was approved in this second has begun before its end.
        if (before > now + 1) throw new HttpError(400, 'invalid_request', 'The moment must not be in the future.');
        await dependencies.endSessionsBefore(before);
        await dependencies.revokeMachines();
        return endAll({ kind: 'everything' }, {}, { before, isDecided }, progress);
      }
    }
  }

  return {
    end: async (target, by) => {
      const progress: Progress = { grants: 0 };
      const tell = () => onEnded({ target, by, ...progress });
      try {
        await run(target, by, progress);
      } catch (error) {
        // Whoever repeats it does not find again what has ended already.
        if (progress.grants > 0) tell();
        throw error;
      }
      // A client may revoke the same token again, and a used refresh token may come back: nothing has ended then.
      if (target.kind !== 'grant' || progress.grants > 0) tell();
      return { grants: progress.grants };
    },
  };
}
