/** Owns the settings of status lists: how often they are read, and what happens while they can't be. */
import { type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import * as type from '@mcp-oauth/shared/settings/types';
import { LEAST_VALIDITY } from '@mcp-oauth/shared/status-list/status-list';

export const statusSettings = {
  statusMaxAge: setting({
    env: 'STATUS_MAX_AGE',
    doc: 'A token that its issuer has revoked is refused after this time at most, its streams are closed and its calls are aborted (docs/revocation.md). One request reads a status list for all its tokens. `off`: no list is read.',
    type: type.durationOrOff(0, 300),
    default: '5s',
  }),
  statusGrace: setting({
    env: 'STATUS_GRACE',
    doc: 'How long the last copy of a status list counts while the list cannot be read, at most until the list itself expires: one of auth-server 45 minutes or more after it was read. For tokens that live longer than an hour it is three times STATUS_MAX_AGE at most.',
    // More would have no effect, and look as if it had.
    type: type.duration(1, LEAST_VALIDITY),
    default: '5m',
  }),
  statusUnavailable: setting({
    env: 'STATUS_UNAVAILABLE',
    doc: 'What happens after STATUS_GRACE to tokens whose status list cannot be read. `refuse`: they are answered with 503. `accept`: they are accepted until they expire. Tokens that live longer than an hour are always refused.',
    type: type.oneOf('refuse', 'accept'),
    default: 'refuse',
  }),
} as const;

/** A copy is as old as STATUS_MAX_AGE before it is read again. */
export function judgeStatus({
  statusMaxAge = 0,
  statusGrace,
}: Partial<Values<typeof statusSettings>>): readonly Problem[] {
  if (statusGrace === undefined || statusGrace >= statusMaxAge) return [];
  return [{ env: 'STATUS_GRACE', message: 'must not be shorter than STATUS_MAX_AGE' }];
}
