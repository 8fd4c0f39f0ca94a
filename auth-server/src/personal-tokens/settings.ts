/** Owns the settings of personal tokens: whether there are any, how long they may live and which scopes they may have. */
import { optional, type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import { duration, exactList, oneOf } from '@mcp-oauth/shared/settings/types';
import type { KeyPolicy } from '../keys/keyring.ts';

const DAY = 86_400;

export const personalTokenSettings = {
  personalTokens: setting({
    env: 'PERSONAL_TOKENS',
    doc: 'Long-lived access tokens for programs that can only send a fixed header (an API key). `services`: the operator makes them for services with `tokens add`. `on`: people may make their own at /account as well. Their keys are published besides those of other tokens. Switching it off ends the tokens, and switching from `on` to `services` those of people.',
    type: oneOf('off', 'services', 'on'),
    default: 'off',
  }),
  personalTokenLifetime: setting({
    env: 'PERSONAL_TOKEN_LIFETIME',
    doc: 'Maximum lifetime of a personal token (PERSONAL_TOKENS). Tokens that are older than a shorter value end.',
    type: duration(60, 366 * DAY),
    default: '90d',
  }),
  personalTokenScopes: optional({
    env: 'PERSONAL_TOKEN_SCOPES',
    doc: 'Scopes that people may give to their tokens, separated by commas. A token that already has another scope ends. Not set: each scope that the person may have. Tokens of services have the scopes that the operator names.',
    type: exactList(),
    example: 'mcp:tools',
  }),
};

type PersonalTokenSettings = Values<typeof personalTokenSettings>;

/** What the operator allows. */
export interface Limits {
  readonly offered: PersonalTokenSettings['personalTokens'];
  /** Seconds. */
  readonly lifetime: number;
  /** Absent: all. */
  readonly scopes?: ReadonlySet<string> | undefined;
}

export const limitsOf = (settings: PersonalTokenSettings): Limits => ({
  offered: settings.personalTokens,
  lifetime: settings.personalTokenLifetime,
  scopes: settings.personalTokenScopes && new Set(settings.personalTokenScopes),
});

/**
 * The policy of the key ring of these tokens (ADR 9). A key signs at least as long as a token lives, so that the ring never has more
 * than three keys, however fast the keys of other tokens rotate.
 */
export const personalKeyPolicy = (policy: KeyPolicy, { personalTokenLifetime }: PersonalTokenSettings): KeyPolicy => ({
  ...policy,
  tokenLifetime: personalTokenLifetime,
  rotation: policy.rotation === 0 ? 0 : Math.max(policy.rotation, personalTokenLifetime + policy.lead),
});

interface OtherSettings {
  readonly statusLists?: 'on' | 'off' | undefined;
}

/** Without a status list such a token could not be ended. */
export function judgePersonalTokens(settings: Partial<PersonalTokenSettings> & OtherSettings): readonly Problem[] {
  if (settings.statusLists !== 'off' || (settings.personalTokens ?? 'off') === 'off') return [];
  return [
    {
      env: 'PERSONAL_TOKENS',
      message: `is ${settings.personalTokens} although STATUS_LISTS is off: nothing could end a token`,
    },
  ];
}
