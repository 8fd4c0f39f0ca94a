/** Owns the status lists of all issuers: which ones are held, how many at most, and when one is forgotten. */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import type { KeySource } from '../issuer/key-source.ts';
import { type ListIssuer, openList } from './document.ts';
import type { IsRevoked, Referring, Revocations, StatusReference } from './reference.ts';
import { requestList } from './request.ts';
import { type StatusLimits, StatusList } from './status-list.ts';

/** Maximum number of lists of one issuer at a time: it usually has two, and one for the long-lived tokens of each quarter. */
export const MOST_LISTS = 16;

/** An issuer that may publish lists. */
interface StatusIssuer extends ListIssuer {
  readonly keySource: ListIssuer['keySource'] & Pick<KeySource, 'hasWithdrawn' | 'onWithdrawn'>;
  /** Names it in metrics and probes. */
  readonly id: string;
  /** Converts a public URL of the issuer to the one by which this server reaches it. */
  readonly inside: (url: string) => string;
}

export interface StatusListsOptions {
  readonly issuers: readonly StatusIssuer[];
  readonly limits: StatusLimits;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly onFailure: (issuer: StatusIssuer, error: unknown, isNews: boolean) => void;
  readonly onRecovery: (issuer: StatusIssuer, uri: string) => void;
}

interface Held {
  readonly issuer: StatusIssuer;
  readonly lists: Map<string, StatusList>;
}

/** How the lists of an issuer are, for metrics and probes. */
export interface ListsState {
  readonly id: string;
  readonly lists: number;
  /** Those that could not be read at the last attempt, or never. */
  readonly unread: number;
  /** Seconds since the oldest was read; `undefined` without lists. */
  readonly age: number | undefined;
}

export class StatusLists implements Revocations {
  readonly #options: StatusListsOptions;
  /** By `iss`: a list of one issuer says nothing about tokens of another. */
  readonly #held: ReadonlyMap<string, Held>;
  #onChange: () => void = () => {};

  constructor(options: StatusListsOptions) {
    this.#options = options;
    this.#held = new Map(options.issuers.map((issuer) => [issuer.rules.issuer, { issuer, lists: new Map() }]));
  }

  /** @param listener called when another copy of any list is held, and once more a moment later; and when a key was withdrawn */
  onChange(listener: () => void): void {
    this.#onChange = listener;
    for (const { issuer } of this.#held.values()) issuer.keySource.onWithdrawn(listener);
  }

  /**
   * @param until seconds since the epoch at which the token with the reference expires
   * @returns nothing if the issuer has too many lists
   */
  need(issuer: string, { uri }: StatusReference, until: number): StatusList | undefined {
    const held = this.#held.get(issuer);
    const list = held?.lists.get(uri) ?? (held && this.#open(held, uri));
    list?.need(until);
    return list;
  }

  /**
   * From the copies that are held: a list that was never read revokes nothing. A key is withdrawn before its tokens have expired only if it
   * must not be trusted any more, and they may be forged.
   */
  readonly isRevoked: IsRevoked = ({ issuer, status, keyId, expiresAt = 0 }) => {
    const held = this.#held.get(issuer);
    if (!held) return false;
    const mayBeForged = keyId !== undefined && held.issuer.keySource.hasWithdrawn(keyId);
    if (mayBeForged && expiresAt * 1000 > this.#options.clock.now()) return true;
    return status !== undefined && held.lists.get(status.uri)?.isMarked(status.idx) === true;
  };

  learn({ issuer, status }: Referring, until: number): Promise<void> | undefined {
    const list = status && this.need(issuer, status, until);
    return list && !list.wasTried ? list.refresh() : undefined;
  }

  /** Reads the lists that are due, and forgets those that no token needs any more. */
  tick(): void {
    const now = this.#options.clock.now();
    for (const { lists } of this.#held.values()) {
      for (const [uri, list] of lists) {
        if (list.isNeeded(now)) list.tick();
        else lists.delete(uri);
      }
    }
  }

  states(): readonly ListsState[] {
    return [...Map.groupBy(this.#held.values(), ({ issuer }) => issuer.id)].map(([id, held]) => {
      const lists = held.flatMap((one) => [...one.lists.values()]);
      const age = lists.length === 0 ? undefined : Math.max(...lists.map((list) => list.age));
      return { id, lists: lists.length, unread: lists.filter(({ failure }) => failure !== undefined).length, age };
    });
  }

  #open({ issuer, lists }: Held, uri: string): StatusList | undefined {
    if (lists.size >= MOST_LISTS) return undefined;
    const { limits, fetch, clock, onFailure, onRecovery } = this.#options;
    const list = new StatusList({
      read: async (held) => {
        const received = await requestList(fetch, issuer.inside(uri), held?.etag);
        if (received === 'same') return undefined;
        const document = await openList(received.jwt, { ...issuer, uri, clock, formerKid: held?.kid }).catch(
          (cause) => {
            throw new Error(`${uri} is no list that can be used`, { cause });
          },
        );
        return { document, etag: received.etag };
      },
      limits,
      clock,
      onChange: () => this.#onChange(),
      onFailure: (error, isNews) => onFailure(issuer, error, isNews),
      onRecovery: () => onRecovery(issuer, uri),
    });
    lists.set(uri, list);
    return list;
  }
}
