/** Owns personal tokens in a test: on a store in memory, with one person, two resources, and status lists that only remember marks. */
import type { AuditEntry } from '@mcp-oauth/shared/audit/entry';
import { createLogger } from '@mcp-oauth/shared/logger';
import type { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import type { AccessRefusal } from '../../src/access/gate.ts';
import { type Account, createAccounts } from '../../src/federation/account.ts';
import { localSubject } from '../../src/federation/subject.ts';
import { openPersonalRing } from '../../src/keys/personal-ring.ts';
import { type CheckDependencies, createCheck } from '../../src/personal-tokens/check.ts';
import { createOwners } from '../../src/personal-tokens/owners.ts';
import { createPersonalTokens, type NewToken } from '../../src/personal-tokens/personal-tokens.ts';
import type { Limits } from '../../src/personal-tokens/settings.ts';
import { createTokenRecords } from '../../src/personal-tokens/token-records.ts';
import { createResources, type ResourceSetting } from '../../src/resources/resource.ts';
import { createEndedBefore } from '../../src/revocation/ended-before.ts';
import type { StatusReference } from '../../src/revocation/status-lists.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { policy } from './opened-keys.ts';

export const DAY = 86_400;
const identity = { issuer: 'https://acme.example', subject: 'alice', name: 'Alice', memberships: { group: ['ops'] } };
export const alice = localSubject(identity);
export const NOTES = 'https://notes.example/mcp';
export const MAIL = 'https://mail.example/mcp';
export const ISSUER = 'https://auth.example';

const resource = (url: string, scopes: readonly string[]): ResourceSetting => ({
  name: url,
  address: url,
  identifiers: [url],
  audience: url,
  scopes: Object.fromEntries(scopes.map((scope) => [scope, scope])),
  claims: ['name', 'groups'],
});

export const asked = (changes: Partial<NewToken> = {}): NewToken => ({
  name: 'laptop',
  lifetime: 30 * DAY,
  resource: NOTES,
  scopes: ['notes:read'],
  ...changes,
});

/** What the test changes while the tokens live. */
export interface World {
  limits: Limits;
  permitted: readonly string[];
  refusal: AccessRefusal | undefined;
  resources: readonly [ResourceSetting, ...ResourceSetting[]];
}

export const both = [resource(NOTES, ['notes:read', 'notes:write']), resource(MAIL, ['mail:read'])] as const;

export async function openTokens(store: RecordStore, clock: FakeClock) {
  const world: World = {
    limits: { offered: 'on', lifetime: 90 * DAY },
    permitted: ['notes:read', 'notes:write', 'mail:read'],
    refusal: undefined,
    resources: both,
  };
  const lines: Record<string, unknown>[] = [];
  const log = createLogger('auth-server', 'debug', { write: (line) => lines.push(JSON.parse(line)) });
  const entries: AuditEntry[] = [];
  const marked: StatusReference[] = [];
  /** The questions to the gates: about whom, and when what they decide about was made. */
  const questions: (number | undefined)[] = [];
  const accounts = createAccounts(store, 400 * DAY);
  const account: Account = { accountId: alice, connector: 'acme', identity };
  await accounts.save(account);
  const ring = await openPersonalRing({ store, policy, clock, log });
  const endedBefore = createEndedBefore(store, 90 * DAY);
  let allocated = 0;
  const parts = (): CheckDependencies & Parameters<typeof createPersonalTokens>[0] => ({
    issuer: ISSUER,
    clock,
    log,
    audit: (entry) => void entries.push(entry),
    records: createTokenRecords(store, clock),
    owners: createOwners(store, clock),
    status: {
      allocate: async () => {
        allocated += 1;
        return { list: 'list', idx: allocated, until: Math.floor(clock.now() / 1000) + 180 * DAY };
      },
      uriOf: (list) => `${ISSUER}/status/${list}`,
      mark: async (references) => void marked.push(...references),
    },
    signing: ring.signing,
    endedBefore,
    limits: world.limits,
    resources: createResources([...world.resources]),
    accounts,
    passThrough: async (stored, _occasion, madeAt) => {
      questions.push(madeAt);
      return { account: stored, refusal: world.refusal };
    },
    access: { permitted: (_account, names) => names.filter((name) => world.permitted.includes(name)) },
    maxTokenClaimsSize: 4_096,
    times: { every: 150, patience: 600 },
  });
  return {
    world,
    lines,
    entries,
    marked,
    questions,
    accounts,
    account,
    ring,
    endedBefore,
    allocated: () => allocated,
    tokens: () => createPersonalTokens(parts()),
    check: () => createCheck(parts())(),
  };
}
