/**
 * Owns the index of everybody who has personal tokens, for the list of the operator and the questions in the background. It is split
 * into parts by a digest of the subject, so that replicas share the work and no record grows large.
 */
import { hash } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { HttpError } from '@mcp-oauth/shared/errors';
import { type RecordStore, StoreUnavailable } from '../storage/record-store.ts';

export interface Owners {
  /** @param until when the last token of the subject expires, in seconds since the epoch */
  add(subject: string, until: number): Promise<void>;
  inPart(part: number): Promise<readonly string[]>;
  /** Everybody who may have a token. */
  all(): AsyncIterable<string>;
  /** Whether anybody may have a token. One read, for servers without personal tokens. */
  any(): Promise<boolean>;
  /** Of concurrent calls of all replicas exactly one gets `true`, until the time is over. */
  claim(part: number, seconds: number): Promise<boolean>;
}

export const PARTS = 64;

const KIND = 'PersonalTokenOwners';
const ANY = 'any';
const CLAIM = 'PersonalTokenCheck';
/** Maximum number of subjects in a part: 128,000 in all. */
const MOST = 2_000;
const MOST_ATTEMPTS = 100;

type Subjects = Readonly<Record<string, number>>;

const partOf = (subject: string): number => Number.parseInt(hash('sha256', subject).slice(0, 8), 16) % PARTS;

export function createOwners(store: RecordStore, clock: Clock): Owners {
  const read = async (part: number) => {
    const before = (await store.get(KIND, String(part)))?.value;
    const all = Object.entries((before?.subjects ?? {}) as Subjects);
    return { before, live: Object.fromEntries(all.filter(([, until]) => until > seconds(clock))) as Subjects };
  };
  const any = async () => (await store.get(KIND, ANY)) !== undefined;
  return {
    add: async (subject, until) => {
      await store.putIfAbsent(KIND, ANY, {}, { ttl: until - seconds(clock) });
      await store.touch(KIND, ANY, until - seconds(clock));
      const part = partOf(subject);
      for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
        const { before, live } = await read(part);
        if ((live[subject] ?? 0) >= until) return;
        const subjects = { ...live, [subject]: until };
        if (Object.keys(subjects).length > MOST) throw full();
        const ttl = Math.max(...Object.values(subjects)) - seconds(clock);
        const written = before
          ? await store.replace(KIND, String(part), { before, after: { subjects }, ttl })
          : await store.putIfAbsent(KIND, String(part), { subjects }, { ttl });
        if (written) return;
      }
      throw new StoreUnavailable(new Error('too many changes of the owners of personal tokens at once'));
    },
    all: async function* () {
      if (!(await any())) return;
      for (let part = 0; part < PARTS; part += 1) yield* Object.keys((await read(part)).live);
    },
    any,
    inPart: async (part) => Object.keys((await read(part)).live),
    claim: (part, ttl) => store.putIfAbsent(CLAIM, String(part), {}, { ttl }),
  };
}

const full = () =>
  new HttpError(503, 'temporarily_unavailable', 'Too many people have personal tokens.', {
    reason: `a part of the index of personal tokens has ${MOST} owners`,
  });
