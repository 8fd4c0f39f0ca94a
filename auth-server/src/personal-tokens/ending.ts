/** Owns how personal tokens end at once: one of an owner, all of a person, or all that were made before a moment. */
import type { AuditEntry } from '@mcp-oauth/shared/audit/entry';
import type { StatusMarks } from '../revocation/status-lists.ts';
import type { Owners } from './owners.ts';
import { type Owner, type PersonalToken, subjectOf } from './token.ts';
import type { TokenRecords } from './token-records.ts';

export interface TokenEndings {
  /** @returns the token; `undefined` if the owner has none with this id */
  end(owner: Owner, id: string): Promise<PersonalToken | undefined>;
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
  async function endAll(
    subject: string,
    isMeant: (token: PersonalToken) => boolean,
  ): Promise<readonly PersonalToken[]> {
    const ended = (await records.of(subject)).filter(isMeant);
    if (ended.length === 0) return ended;
    // Marked first: what fails halfway is in the list, and can be ended again.
    await status.mark(ended.map((token) => token.status));
    const ids = new Set(ended.map(({ id }) => id));
    await records.change(subject, (tokens) => tokens.filter(({ id }) => !ids.has(id)));
    return ended;
  }
  return {
    end: async (owner, id) => (await endAll(subjectOf(owner), (token) => token.id === id))[0],
    endAllOf: async (accountId) => (await endAll(subjectOf({ kind: 'person', accountId }), () => true)).length,
    endAllBefore: async (moment) => {
      for await (const subject of owners.all()) await endAll(subject, ({ createdAt }) => createdAt < moment);
    },
  };
}

/**
 * The audit entry of the end of a single token. It is the same for its owner, an operator and the background check.
 * @param reason the owner, the operator, or why the token may not be used any more
 * @param actor the operator
 */
export const endedEntry = (
  subject: string,
  { id, name, resource }: PersonalToken,
  { reason, actor }: { readonly reason: string | undefined; readonly actor?: string | undefined },
): AuditEntry => ({
  event: 'personal-token.ended',
  outcome: 'ok',
  who: subject,
  resource,
  reason,
  details: { token: id, name, actor },
});
