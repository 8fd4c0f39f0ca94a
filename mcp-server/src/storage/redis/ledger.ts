/**
 * Owns the number of bytes of events that Redis stores for a person and for everybody, over all replicas. A session
 * reports them in steps, so each sum lags by at most one step per session.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '@mcp-oauth/shared/clock';
import { type Owner, personOf } from '../../authorization/principal.ts';
import { type ExhaustedBudget, GUARANTEED_BYTES, type LogLimits } from '../../sessions/ports.ts';
import { PREFIX, type SessionRedis, sessionKey } from './scripts.ts';

type Person = Pick<Owner, 'issuer' | 'subject'>;

/** Milliseconds for which a session's limit is reduced after a budget of its person or of the server was used up. */
const TIGHT = 10_000;

/** Maximum number of sessions that drop streams when one grows; further ones follow with the next step. */
const MOST_SHED = 8;

const EVERYBODY = 'everybody';

const keysOf = (ledger: string): readonly string[] =>
  ['size', 'end', 'sum'].map((part) => `${PREFIX}{bytes:${ledger}}:${part}`);

const nameOf = (person: Person): string => createHash('sha256').update(personOf(person)).digest('base64url');

export interface Ledger {
  /** Records the bytes of a session. Drops streams if its person or the server has too many. */
  tell(session: string, person: Person, bytes: number): Promise<void>;
}

export function createLedger(redis: SessionRedis, limits: LogLimits, clock: Clock): Ledger {
  const lives = Math.max(limits.keepOpen, limits.keepOver) * 1000;
  const tally = async (ledger: string, member: string, bytes: number) => {
    const now = clock.now();
    const [sum, most] = await redis.mcpTally(...keysOf(ledger), member, bytes, now + lives, now, lives);
    return { sum, most };
  };
  const tighten = (session: string, full: ExhaustedBudget) =>
    redis.mcpShed(sessionKey(session), GUARANTEED_BYTES, full, TIGHT);
  /**
   * Drops ended streams without a reader of a person, starting with the session that has most bytes. @returns the
   * person's remaining bytes
   */
  const shed = async (person: string, sum: number, most: number, largest: string): Promise<number> => {
    let [left, next] = [sum, largest];
    for (let n = 0; n < MOST_SHED && left > most && next; n += 1) {
      const before = left;
      const bytes = await redis.mcpShed(sessionKey(next), 0, '', TIGHT);
      ({ sum: left, most: next } = await tally(person, next, bytes));
      if (left >= before) break;
    }
    return left;
  };
  const shedMost = async (person: string, sum: number): Promise<number> => {
    const [size = ''] = keysOf(person);
    const [largest = ''] = await redis.zrevrange(size, 0, 0);
    const theirs = await redis.get(keysOf(person)[2] ?? '');
    const left = await shed(
      person,
      Number(theirs ?? 0),
      Math.max(0, Number(theirs ?? 0) - (sum - limits.totalBytes)),
      largest,
    );
    return (await tally(EVERYBODY, person, left)).sum;
  };

  return {
    tell: async (session, owner, bytes) => {
      const person = nameOf(owner);
      const theirs = await tally(person, session, bytes);
      const left =
        theirs.sum > limits.personBytes ? await shed(person, theirs.sum, limits.personBytes, theirs.most) : theirs.sum;
      if (left > limits.personBytes) await tighten(session, 'principal');
      let { sum, most } = await tally(EVERYBODY, person, left);
      if (sum > limits.totalBytes) sum = await shedMost(most, sum);
      if (sum > limits.totalBytes) await tighten(session, 'server');
    },
  };
}
