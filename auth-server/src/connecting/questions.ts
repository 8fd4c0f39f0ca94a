/**
 * Owns the one question to a person about one account: of all calls that need it for the same client, on all replicas, one shows the
 * link, and the others wait for what comes of it. Where the one that shows it has gone, the next one shows the same link.
 */
import { createHash } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { StartError } from '@mcp-oauth/shared/errors';
import type { RecordStore } from '../storage/record-store.ts';
import type { LinkEnd, LinkPurpose, Links } from './links.ts';

/** What a call wants to know. */
interface Inquiry {
  /** The link for which the call waits; absent: it has none. */
  readonly link: string | undefined;
  /** `link`: it would show one. `news`: it only asks whether something has come of its link. `decline`: the person has declined it. */
  readonly wish: 'link' | 'news' | 'decline';
}

export type QuestionState =
  | { readonly kind: LinkEnd }
  /** There is nothing new. */
  | { readonly kind: 'open' }
  /** @param isShown another call shows the link now */
  | { readonly kind: 'link'; readonly uri: string; readonly expiresIn: number; readonly isShown: boolean };

export interface Questions {
  /** @param onNew called for each new link; if it throws, there is none */
  ask(purpose: LinkPurpose, inquiry: Inquiry, onNew: () => Promise<void>): Promise<QuestionState>;
}

/** As it is stored; the store encrypts `handle` (storage/sealed.ts). Times are in seconds since the epoch. */
interface Question {
  readonly handle: string;
  /** When the call that shows the link was heard of last. */
  readonly shownAt: number;
  /** When that call began to show it. */
  readonly since: number;
  readonly endsAt: number;
}

interface QuestionsDependencies {
  readonly links: Links;
  readonly store: RecordStore;
  readonly clock: Clock;
}

/** Also in storage/sealed.ts. */
const KIND = 'ConnectQuestion';

/** Seconds after which the call that shows the link counts as gone. Calls that wait are heard of every two seconds. */
const GONE = 15;

/** Seconds after which that it was heard of is written again. */
const STEP = 5;

/**
 * Seconds after which a new call shows the link too, although the call before is heard of: its app may have been closed without a word,
 * and the person may be at another device.
 */
const SEPARATE = 30;

/** Seconds that a link must be good for when it is shown. */
const LATE = 60;

/** Each attempt fails only because another call has made the link or shows it. */
const ATTEMPTS = 5;

export function createQuestions({ links, store, clock }: QuestionsDependencies): Questions {
  const find = async (id: string): Promise<Question | undefined> => {
    try {
      return (await store.get(KIND, id))?.value as Question | undefined;
    } catch (error) {
      // It was encrypted with a key that is gone.
      if (!(error instanceof StartError)) throw error;
      await store.delete(KIND, id);
      return undefined;
    }
  };
  const note = (id: string, before: Question, after: Question) =>
    store.replace(KIND, id, { before: { ...before }, after: { ...after } });

  async function link(purpose: LinkPurpose, own: string | undefined, onNew: () => Promise<void>) {
    const id = idOf(purpose);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const now = seconds(clock);
      const known = await find(id);
      const isHeard = known !== undefined && now - known.shownAt < GONE;
      const isOpen = known !== undefined && known.endsAt - now > LATE && (await links.find(known.handle)) !== undefined;
      const waits = own !== undefined || (known !== undefined && now - known.since < SEPARATE);
      // A link that is used up is no use to a new call, while those that have seen it shown wait for what comes of it.
      if (known && isHeard && (isOpen ? waits : known.handle === own)) return shown(known, now, true);
      if (known && isOpen) {
        if (await note(id, known, { ...known, shownAt: now, since: now })) return shown(known, now, false);
        continue;
      }
      const { handle, expiresIn } = await links.create(purpose);
      const next = { handle, shownAt: now, since: now, endsAt: now + expiresIn };
      const options = { ttl: expiresIn };
      const isFirst = known
        ? await store.replace(KIND, id, { before: { ...known }, after: next, ...options })
        : await store.putIfAbsent(KIND, id, next, options);
      if (isFirst) {
        await onNew().catch(async (error: unknown) => {
          await Promise.all([links.take(handle), store.delete(KIND, id)]);
          throw error;
        });
        return shown(next, now, false);
      }
      await links.take(handle);
    }
    throw new Error('too many calls ask for the same account at once');
  }

  const shown = ({ handle, endsAt }: Question, now: number, isShown: boolean): QuestionState => ({
    kind: 'link',
    uri: links.uriOf(handle),
    expiresIn: Math.max(1, endsAt - now),
    isShown,
  });

  /** The call that shows the link is there still. */
  async function hear(purpose: LinkPurpose, handle: string): Promise<void> {
    const id = idOf(purpose);
    const known = await find(id);
    const now = seconds(clock);
    if (known?.handle === handle && now - known.shownAt >= STEP) await note(id, known, { ...known, shownAt: now });
  }

  /** @returns whether the link was one of this purpose, and has ended now */
  async function decline(purpose: LinkPurpose, handle: string): Promise<boolean> {
    const found = await links.find(handle);
    return found !== undefined && idOf(found) === idOf(purpose) && (await links.decline(handle)) !== undefined;
  }

  return {
    ask: async (purpose, { link: uri, wish }, onNew) => {
      const own = uri === undefined ? undefined : links.handleIn(uri);
      const end = own === undefined ? undefined : await links.endOf(own, purpose);
      if (end) return { kind: end };
      if (wish === 'link') return link(purpose, own, onNew);
      if (wish === 'decline' && own !== undefined && (await decline(purpose, own))) return { kind: 'declined' };
      if (own !== undefined) await hear(purpose, own);
      return { kind: 'open' };
    },
  };
}

/** Scopes have no order. */
const idOf = ({ accountId, clientId, connector, scopes }: LinkPurpose): string =>
  createHash('sha256')
    .update(JSON.stringify([accountId, clientId, connector, [...scopes].sort()]))
    .digest('base64url');
