/** Owns how personal tokens are set up from the settings: their key ring, their status lists, and the check of their people. */
import { randomInt } from 'node:crypto';
import type { Access } from '../../access/access.ts';
import type { PassThrough } from '../../access/gate.ts';
import type { Config } from '../../config.ts';
import type { Accounts } from '../../federation/account.ts';
import type { CookieKeys } from '../../keys/key-store.ts';
import { openPersonalRing, type PersonalRing } from '../../keys/personal-ring.ts';
import { keyPolicyOf } from '../../keys/settings.ts';
import { type CheckTimes, createCheck, keepChecking } from '../../personal-tokens/check.ts';
import { createOwners } from '../../personal-tokens/owners.ts';
import { createPersonalTokens, type PersonalTokens } from '../../personal-tokens/personal-tokens.ts';
import { limitsOf, personalKeyPolicy } from '../../personal-tokens/settings.ts';
import { createTokenRecords } from '../../personal-tokens/token-records.ts';
import type { Resources } from '../../resources/resource.ts';
import { createEndedBefore } from '../../revocation/ended-before.ts';
import { createStatusLists } from '../../revocation/status-lists.ts';
import type { StatusStore } from '../../revocation/status-store.ts';
import type { Dependencies } from '../dependencies.ts';

interface PersonalTokensDependencies extends Pick<Dependencies, 'store' | 'clock' | 'log' | 'audit'> {
  readonly statusStore: StatusStore;
  readonly cookies: CookieKeys;
  readonly resources: Resources;
  readonly accounts: Accounts;
  readonly access: Pick<Access, 'permitted'>;
  readonly passThrough: PassThrough;
}

export interface ComposedPersonalTokens {
  readonly tokens: PersonalTokens;
  /** Absent: PERSONAL_TOKENS is off. */
  readonly ring: PersonalRing | undefined;
  /** Follows the keys and checks the tokens. @returns a function that stops both */
  start(): () => Promise<void>;
}

const DAY = 86_400;
/** Seconds for whose tokens one status list is made. */
const PERIOD = 90 * DAY;
/** Seconds between two checks of the rules, where the identity provider is not asked again. */
const USUAL = 600;
/** So that an answer of the identity provider is at most half of UPSTREAM_RECHECK too old. */
const CHECKS_PER_RECHECK = 4;

export async function composePersonalTokens(
  config: Config,
  dependencies: PersonalTokensDependencies,
): Promise<ComposedPersonalTokens> {
  const { store, clock, log, audit, cookies, statusStore } = dependencies;
  const policy = personalKeyPolicy(keyPolicyOf(config), config);
  const isOff = config.personalTokens === 'off';
  const ring = isOff ? undefined : await openPersonalRing({ store, policy, clock, log, audit });
  const parts = {
    ...dependencies,
    issuer: config.issuer,
    limits: limitsOf(config),
    maxTokenClaimsSize: config.maxTokenClaimsSize,
    records: createTokenRecords(store, clock),
    owners: createOwners(store, clock),
    status: createStatusLists({
      store: statusStore,
      clock,
      random: (below) => randomInt(below),
      issuer: config.issuer,
      secret: cookies[0],
      name: 'personal tokens',
      period: PERIOD,
      lifetime: config.personalTokenLifetime,
    }),
    signing: () => {
      if (ring) return ring.signing();
      throw new Error('a personal token without a key ring');
    },
    endedBefore: createEndedBefore(store, config.grantLifetime),
    times: timesOf(config),
  };
  return {
    tokens: createPersonalTokens(parts),
    ring,
    start: () => {
      if (!ring) return endAll(parts);
      const stops = [ring.follow(), keepChecking(createCheck(parts), parts.times.every)];
      return async () => {
        await Promise.all(stops.map((stop) => stop()));
      };
    },
  };
}

function timesOf({ upstreamRecheck }: Pick<Config, 'upstreamRecheck'>): CheckTimes {
  const patience = upstreamRecheck || USUAL;
  return { every: Math.max(1, Math.floor(patience / CHECKS_PER_RECHECK)), patience };
}

/** Ends the tokens that were made while PERSONAL_TOKENS was on. Every replica checks all of them at its start. */
function endAll(parts: Parameters<typeof createCheck>[0]): () => Promise<void> {
  const { owners, log } = parts;
  const check = createCheck({ ...parts, owners: { ...owners, claim: async () => true } });
  const ended = owners
    .any()
    .then((any) => (any ? check() : undefined))
    .catch((err: unknown) => log.warn({ err }, 'personal tokens could not be ended'));
  return () => ended;
}
