/** Owns the settings of dynamic client registration (RFC 7591): who may register, how often, and whether clients may change their registration. */
import { type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import { flag, integer, oneOf } from '@mcp-oauth/shared/settings/types';

const MOST = 1_000_000;

export const registrationSettings = {
  registration: setting({
    env: 'REGISTRATION',
    doc: 'Who may register a client. `open`: anybody. `token`: holders of an initial access token, made with `initial-access-tokens add`. `off`: nobody. Clients with a metadata document, clients that the operator added and clients that are already registered are not affected.',
    type: oneOf('open', 'token', 'off'),
    default: 'open',
  }),
  registrationManagement: setting({
    env: 'REGISTRATION_MANAGEMENT',
    doc: 'Whether a client that registers gets a token to read, change and remove its registration (RFC 7592).',
    type: flag(),
    default: 'false',
  }),
  registrationLimit: setting({
    env: 'REGISTRATION_LIMIT',
    doc: 'Maximum number of registrations per hour from one address. A large one counts once per KiB.',
    type: integer(1, MOST),
    default: '300',
  }),
  registrationLimitGlobal: setting({
    env: 'REGISTRATION_LIMIT_GLOBAL',
    doc: 'Maximum number of registrations per hour from all addresses together. It limits how fast the store grows, so a large one counts once per KiB. Registered clients are not affected.',
    type: integer(1, MOST),
    default: '3000',
  }),
};

type RegistrationSettings = Values<typeof registrationSettings>;

export type RegistrationMode = RegistrationSettings['registration'];

export function judgeRegistration(settings: Partial<RegistrationSettings>): readonly Problem[] {
  if (settings.registration !== 'off' || !settings.registrationManagement) return [];
  return [{ env: 'REGISTRATION_MANAGEMENT', message: 'is true although REGISTRATION is off' }];
}
