/**
 * Owns the check of all personal tokens in the background. auth-server sees no call with such a token and no refresh, so nothing else
 * would ask about its person. The index of owners has several parts, and only one replica checks a part at the same time.
 */
import type { Audit } from '@mcp-oauth/shared/audit/entry';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { Access } from '../access/access.ts';
import type { PassThrough } from '../access/gate.ts';
import type { Accounts } from '../federation/account.ts';
import type { Resources } from '../resources/resource.ts';
import type { EndedBefore } from '../revocation/ended-before.ts';
import type { StatusLists } from '../revocation/status-lists.ts';
import { endedEntry } from './ending.ts';
import { type Owners, PARTS } from './owners.ts';
import type { Limits } from './settings.ts';
import { afterObjection, ENDED, objectionOfPerson, objectionOfSettings, type Person } from './standing.ts';
import { clientOf, ownerOf, type PersonalToken } from './token.ts';
import type { TokenRecords } from './token-records.ts';

export interface CheckDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  readonly audit: Audit;
  readonly records: TokenRecords;
  readonly owners: Owners;
  readonly status: Pick<StatusLists, 'mark'>;
  readonly endedBefore: Pick<EndedBefore, 'includes'>;
  readonly limits: Limits;
  readonly resources: Resources;
  readonly accounts: Pick<Accounts, 'find'>;
  readonly passThrough: PassThrough;
  readonly access: Pick<Access, 'permitted'>;
  readonly times: CheckTimes;
}

/** All in seconds. */
export interface CheckTimes {
  /** How often a part is checked. */
  readonly every: number;
  /** How long an objection that is not final has to last. */
  readonly patience: number;
}

/** Checks the tokens of each part that no other replica has just checked. A token that cannot be checked stays until the next time. */
export function createCheck(dependencies: CheckDependencies): (signal?: AbortSignal) => Promise<void> {
  const { owners, log, times } = dependencies;
  async function checkPart(part: number, signal: AbortSignal | undefined): Promise<void> {
    if (!(await owners.claim(part, times.every))) return;
    for (const subject of await owners.inPart(part)) {
      if (signal?.aborted) return;
      await checkOwner(subject, dependencies).catch((err: unknown) =>
        log.warn({ err, subject }, 'personal tokens could not be checked'),
      );
    }
  }
  return async (signal) => {
    // One identity provider that is slow holds its part and not the others.
    const checks = Array.from({ length: PARTS }, (_, part) => checkPart(part, signal));
    const failed = (await Promise.allSettled(checks)).find((result) => result.status === 'rejected');
    if (failed) log.warn({ err: failed.reason }, 'personal tokens could not be checked');
  };
}

async function checkOwner(subject: string, dependencies: CheckDependencies): Promise<void> {
  const { records, status, limits, resources, endedBefore, clock, times, log, audit } = dependencies;
  const owner = ownerOf(subject);
  const personFor = owner.kind === 'person' ? askAbout(owner.accountId, dependencies) : undefined;
  const becomes = new Map<string, 'end' | PersonalToken>();
  const ended: PersonalToken[] = [];
  for (const token of await records.of(subject)) {
    const resource = resources.find(token.resource);
    const now = seconds(clock);
    const facts = { limits, resource, now };
    const begun = { accountId: subject, clientId: clientOf(owner), createdAt: token.createdAt };
    const objection =
      objectionOfSettings(token, owner, facts) ??
      ((await endedBefore.includes(begun)) ? ENDED : undefined) ??
      (personFor && resource && objectionOfPerson(token, await personFor(token, resource.baseScopes)));
    const next = afterObjection(token, objection, { now, patience: times.patience });
    if (next === token) continue;
    becomes.set(token.id, next);
    if (next !== 'end') continue;
    ended.push(token);
    const reason = objection?.reason;
    log.info({ subject, tokenId: token.id, reason }, 'personal token ended');
    audit(endedEntry(subject, token, { reason }));
  }
  if (becomes.size === 0) return;
  if (ended.length > 0) await status.mark(ended.map((token) => token.status));
  await records.change(subject, (tokens) =>
    tokens.flatMap((token) => {
      const next = becomes.get(token.id) ?? token;
      return next === 'end' ? [] : [next];
    }),
  );
}

type AskAbout = (token: PersonalToken, free: ReadonlySet<string>) => Promise<Person | undefined>;

/** The gates are asked for each token, because a logout ends what was made before it. The identity provider is asked once. */
function askAbout(accountId: string, { accounts, passThrough, access }: CheckDependencies): AskAbout {
  let known: Awaited<ReturnType<Accounts['find']>>;
  return async (token, free) => {
    known ??= await accounts.find(accountId);
    if (!known) return undefined;
    const { account, refusal } = await passThrough(known, 'token', token.createdAt);
    known = account;
    return { identity: account.identity, refusal, permitted: access.permitted(account, token.scopes, free) };
  };
}

/** Repeats the check. @returns a function that stops it: a question that runs is still answered, because its answer may be a new token */
export function keepChecking(check: (signal: AbortSignal) => Promise<void>, every: number): () => Promise<void> {
  const stopped = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const run = (): void => {
    running = check(stopped.signal).then(() => {
      if (!stopped.signal.aborted) timer = setTimeout(run, every * 1000).unref();
    });
  };
  run();
  return async () => {
    stopped.abort();
    clearTimeout(timer);
    await running;
  };
}
