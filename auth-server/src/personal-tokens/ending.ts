/** Owns how personal tokens end at once: one of an owner, all of a person, or all that were made before a moment. */
import type { StatusMarks } from '../revocation/status-lists.ts';
import { type Owners, PARTS } from './owners.ts';
import { type Owner, type PersonalToken, subjectOf } from './token.ts';
import type { TokenRecords } from './token-records.ts';

export interface TokenEndings {
  /** @returns false if the owner has no such token */
  end(owner: Owner, id: string): Promise<boolean>;
  /** @returns how many tokens ended */
  endAllOf(accountId: string): Promise<number>;
  /** Those of services too. @param moment in seconds since the epoch */
  endAllBefore(moment: number): Promise<void>;
}

interface EndingDependencies {
  readonly records: TokenRecords;
  readonly owners: Owners;
  readonly status: StatusMarks;
}

export function createTokenEndings({ records, owners, status }: EndingDependencies): TokenEndings {
  async function endAll(subject: string, isMeant: (token: PersonalToken) => boolean): Promise<number> {
    const ended = (await records.of(subject)).filter(isMeant);
    if (ended.length === 0) return 0;
    // Marked first: what fails halfway is in the list, and can be ended again.
    await status.mark(ended.map((token) => token.status));
    const ids = new Set(ended.map(({ id }) => id));
    await records.change(subject, (tokens) => tokens.filter(({ id }) => !ids.has(id)));
    return ended.length;
  }
  return {
    end: async (owner, id) => (await endAll(subjectOf(owner), (token) => token.id === id)) > 0,
    endAllOf: (accountId) => endAll(subjectOf({ kind: 'person', accountId }), () => true),
    endAllBefore: async (moment) => {
      if (!(await owners.any())) return;
      for (let part = 0; part < PARTS; part += 1) {
        for (const subject of await owners.inPart(part)) {
          await endAll(subject, ({ createdAt }) => createdAt < moment);
        }
      }
    },
  };
}
