/**
 * Owns the published form of the status lists (Token Status List §5): each list is one signed document, built again after a change and
 * before it becomes old. All processes say the same about one version, except for the bytes of the signature.
 */

import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { BoundedMap } from '@mcp-oauth/shared/collections/bounded-map';
import {
  encode,
  LEAST_VALIDITY,
  STATUS_LIST_TYPE,
  type StatusListClaim,
} from '@mcp-oauth/shared/status-list/status-list';
import { importJWK, SignJWT } from 'jose';
import type { SigningKey } from '../keys/signing-key.ts';
import type { StatusLists } from './status-lists.ts';
import type { StatusStore } from './status-store.ts';

interface StatusDocument {
  readonly body: string;
  /** Weak (RFC 9110 §8.8.1): the signatures of two processes differ. */
  readonly etag: string;
}

export interface StatusDocuments {
  /**
   * Asks the store at most once a second about a list that there is, however many ask here.
   * @param key signs the document
   * @returns `undefined` if there is no such list
   */
  find(list: string, key: SigningKey): Promise<StatusDocument | undefined>;
}

interface Dependencies {
  readonly store: Pick<StatusStore, 'version' | 'marks'>;
  readonly lists: Pick<StatusLists, 'uriOf'>;
  readonly clock: Clock;
}

/** Seconds. */
const REBUILT_AFTER = 900;
const LIFETIME = REBUILT_AFTER + LEAST_VALIDITY;
/** The seconds after which a reader should ask again (§5.1): the least STATUS_MAX_AGE that is of use. */
const TTL = 5;
/** Milliseconds for which an answer of the store is used. */
const RECENT = 1_000;
/** Documents in memory, of up to 240 KiB each. */
const MOST = 64;

interface Built extends StatusDocument {
  readonly version: number;
  readonly slot: number;
  readonly kid: string;
  /** When the store said so, in milliseconds. */
  readonly askedAt: number;
}

export function createStatusDocuments({ store, lists, clock }: Dependencies): StatusDocuments {
  const documents = new BoundedMap<string, Built>(MOST);
  const inFlight = new Map<string, Promise<Built | undefined>>();

  const build = async (list: string, key: SigningKey, slot: number, askedAt: number): Promise<Built | undefined> => {
    const marks = await store.marks(list);
    if (!marks) return undefined;
    // Not the time of this process: a later version never has an earlier time, whichever process signs it.
    const iat = Math.max(slot, Math.floor(marks.version / 1000));
    const claim: StatusListClaim = { bits: 1, lst: await encode(marks.bits) };
    const body = await new SignJWT({ status_list: { ...claim }, ttl: TTL })
      .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: STATUS_LIST_TYPE })
      .setSubject(lists.uriOf(list))
      .setIssuedAt(iat)
      .setExpirationTime(iat + LIFETIME)
      .sign(await importJWK(key, key.alg));
    const etag = `W/"${marks.version.toString(36)}.${slot.toString(36)}.${key.kid}"`;
    return { body, etag, version: marks.version, slot, kid: key.kid, askedAt };
  };

  const refresh = async (list: string, key: SigningKey): Promise<Built | undefined> => {
    const known = documents.get(list);
    const askedAt = clock.now();
    const slot = slotOf(seconds(clock));
    const isSame = known?.slot === slot && known.kid === key.kid;
    const document =
      isSame && (await store.version(list)) === known.version
        ? { ...known, askedAt }
        : await build(list, key, slot, askedAt);
    if (document) documents.set(list, document);
    else documents.delete(list);
    return document;
  };

  return {
    find: (list, key) => {
      const known = documents.use(list);
      if (known?.kid === key.kid && Math.abs(clock.now() - known.askedAt) < RECENT) return Promise.resolve(known);
      const flight = `${list} ${key.kid}`;
      const running = inFlight.get(flight) ?? refresh(list, key).finally(() => inFlight.delete(flight));
      inFlight.set(flight, running);
      return running;
    },
  };
}

/** Documents of one slot have the same time, so that their readers get 304 from every process. */
const slotOf = (now: number): number => now - (now % REBUILT_AFTER);
