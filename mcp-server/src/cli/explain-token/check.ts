/** Owns the checks of the explanation: their names in the order of the verifier, and which one each reason of a refusal belongs to. */
import type { Result } from '@mcp-oauth/shared/cli/checks';
import { type Mend, REFUSALS, withVariables } from '../../authorization/token/refusals.ts';
import type { TokenError, TokenReason } from '../../authorization/token-error.ts';

/** The header and the issuer are checked first, then the signature, then the other claims. */
export const CHECKS = [
  'size',
  'form',
  'introspection',
  'issuer',
  'type',
  'algorithm',
  'signature',
  'expiry',
  'start',
  'kind',
  'audience',
  'required claims',
  'subject',
  'client',
  'binding',
  'status',
  'proof',
  'scope',
  'tools',
] as const;

export type CheckName = (typeof CHECKS)[number];

export interface Check {
  readonly check: CheckName;
  readonly result: Result;
  readonly reason?: string | undefined;
  readonly meaning?: string | undefined;
  /** The claim or the header parameter that decides. */
  readonly claim?: string | undefined;
  readonly header?: string | undefined;
  readonly found?: string | undefined;
  readonly expected?: string | undefined;
  /** What to change at the issuer or in the client; absent if nothing there helps. */
  readonly there?: string | undefined;
  /** What to change here; absent if nothing here helps. */
  readonly here?: string | undefined;
  /** The setting that decides. */
  readonly setting?: string | undefined;
  readonly note?: string | undefined;
}

const OF_REASON: Readonly<Record<TokenReason, CheckName>> = {
  malformed: 'form',
  algorithm: 'algorithm',
  wrong_type: 'type',
  unknown_key: 'signature',
  bad_signature: 'signature',
  wrong_issuer: 'issuer',
  wrong_audience: 'audience',
  no_audience: 'audience',
  expired: 'expiry',
  not_yet_valid: 'start',
  missing_claim: 'subject',
  wrong_claim: 'required claims',
  not_an_access_token: 'kind',
  sender_constrained: 'binding',
  not_bound: 'binding',
  bound_to_another_key: 'binding',
  revoked: 'status',
  wrong_status: 'status',
  status_unavailable: 'status',
  keys_unavailable: 'signature',
  inactive: 'introspection',
  introspection_unavailable: 'introspection',
  too_many_unknown: 'introspection',
};

export function checkOf({ reason, finding }: TokenError): CheckName {
  const { claim, setting = '' } = finding;
  if (claim === 'exp') return 'expiry';
  if (claim === 'nbf' || claim === 'iat') return 'start';
  return setting.endsWith('TOKEN_CLIENT_CLAIMS') ? 'client' : OF_REASON[reason];
}

/** Whether nothing more can be said about the token. */
export const isUnreadable = ({ reason, finding: { claim, header } }: TokenError): boolean =>
  reason === 'malformed' && claim === undefined && header === undefined;

type Variable = (name: string) => string;

/** @param variable the variable of a setting for the issuer of the token */
export function refusedBy({ reason, finding }: TokenError, variable: Variable): Omit<Check, 'check'> {
  const { claim, header, expected, found, setting } = finding;
  return {
    ...mendBy(reason, REFUSALS[reason], variable),
    claim,
    header,
    expected: textOf(expected),
    found: textOf(found),
    setting,
  };
}

export const mendBy = (reason: string, { meaning, there, here }: Mend, variable: Variable) => ({
  result: 'refused' as const,
  reason,
  meaning: plain(meaning, variable),
  there: plain(there, variable) || undefined,
  here: plain(here, variable) || undefined,
});

/** The texts are markdown, and name settings as they are called if there is one issuer. */
const plain = (text: string, variable: Variable): string => withVariables(text, variable).replaceAll('`', '');

export function textOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return value.map(textOf).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
