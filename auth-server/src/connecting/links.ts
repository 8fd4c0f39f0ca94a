/**
 * Owns the links at which a person connects an account for tools. A link is for one person, one client, one connector and its scopes
 * (MCP 2026-07-28, elicitation: bound to the client and to the identity of the user), is used once and ends after ten minutes. It
 * gives no access: its page asks for a session of that person. The store has the digest of its handle only.
 */
import { createHash } from 'node:crypto';
import type { Random } from '../federation/login.ts';
import type { RecordStore } from '../storage/record-store.ts';

/** What a link is for. It never changes, so a person approves what the page of the link showed. */
export interface LinkPurpose {
  /** The person whose tools need the account: the only one who may use the link. */
  readonly accountId: string;
  /** The client for which the tools act. */
  readonly clientId: string;
  /** The id of the connector. */
  readonly connector: string;
  /** What the tools need at the upstream. */
  readonly scopes: readonly string[];
}

/** Why a link leads to no account: the person has declined, or the upstream gave none. */
export type LinkEnd = 'declined' | 'failed';

export interface Links {
  create(purpose: LinkPurpose): Promise<{ readonly uri: string; readonly handle: string; readonly expiresIn: number }>;
  /** Reads without using it up: somebody may only look at the page. */
  find(handle: string): Promise<LinkPurpose | undefined>;
  /** Of concurrent calls exactly one gets the link. */
  take(handle: string): Promise<LinkPurpose | undefined>;
  /** As `take`, and the calls that wait for the link get to know that the person has declined. */
  decline(handle: string): Promise<LinkPurpose | undefined>;
  /** Lets the calls that wait for a link know that it leads to no account. @param key of the link (`keyOf`) */
  end(key: string, of: LinkOwner, end: LinkEnd): Promise<void>;
  /** How a link of this person has ended; `undefined` also for the link of somebody else. */
  endOf(handle: string, of: LinkOwner): Promise<LinkEnd | undefined>;
  uriOf(handle: string): string;
  /** The handle in the URI of a link of this server. */
  handleIn(uri: string): string | undefined;
}

type LinkOwner = Pick<LinkPurpose, 'accountId' | 'connector'>;

/** Seconds after which a link ends. */
export const LINK_LIFETIME = 600;

const KIND = 'ConnectLink';
const ENDED = 'ConnectLinkEnd';

const HANDLE = /^[\w-]{43}$/;

/** A path as logs may have it: who reads them must not get the link of somebody else. */
export const withoutHandle = (path: string): string => path.replace(/(\/connect\/)[\w-]{43}/, '$1…');

/** Under which a link is stored. */
export const keyOf = (handle: string): string => createHash('sha256').update(handle).digest('base64url');

interface Options {
  readonly issuer: string;
  readonly store: RecordStore;
  readonly random: Random;
}

export function createLinks({ issuer, store, random }: Options): Links {
  const purposeOf = (record: { readonly value: unknown } | undefined) => record?.value as LinkPurpose | undefined;
  const prefix = `${issuer}/connect/`;
  const uriOf = (handle: string): string => prefix + handle;
  const take = async (handle: string) => purposeOf(await store.take(KIND, keyOf(handle)));
  const end = (key: string, { accountId, connector }: LinkOwner, why: LinkEnd): Promise<void> => {
    const write = () => store.put(ENDED, key, { accountId, connector, end: why }, { ttl: LINK_LIFETIME });
    // The link is used up, so nobody ends it again; writing it twice does no harm.
    return write().catch(write);
  };
  return {
    uriOf,
    take,
    end,
    decline: async (handle) => {
      const purpose = await take(handle);
      if (purpose) await end(keyOf(handle), purpose, 'declined');
      return purpose;
    },
    create: async ({ accountId, clientId, connector, scopes }) => {
      const handle = Buffer.from(random(32)).toString('base64url');
      const purpose = { accountId, clientId, connector, scopes: [...scopes] };
      await store.put(KIND, keyOf(handle), purpose, { ttl: LINK_LIFETIME });
      return { uri: uriOf(handle), handle, expiresIn: LINK_LIFETIME };
    },
    find: async (handle) => purposeOf(await store.get(KIND, keyOf(handle))),
    endOf: async (handle, of) => {
      const value = (await store.get(ENDED, keyOf(handle)))?.value as (LinkOwner & { end: LinkEnd }) | undefined;
      return value?.accountId === of.accountId && value.connector === of.connector ? value.end : undefined;
    },
    handleIn: (uri) => {
      const handle = uri.startsWith(prefix) ? uri.slice(prefix.length) : '';
      return HANDLE.test(handle) ? handle : undefined;
    },
  };
}
