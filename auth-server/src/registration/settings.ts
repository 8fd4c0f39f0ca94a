/** Owns the settings of dynamic client registration (RFC 7591): who may register, how often, and what for afterwards. */
import { type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import { flag, integer, oneOf } from '@mcp-oauth/shared/settings/types';

const MOST = 1_000_000;

export const registrationSettings = {
  registration: setting({
    env: 'REGISTRATION',
    doc: 'Who may register a client: `open` is anybody; `token` is who has an initial access token, made with `initial-access-tokens add`; `off` is nobody. Clients with a document, those that the operator added and those that are registered already get in whatever stands here.',
    type: oneOf('open', 'token', 'off'),
    default: 'open',
  }),
  registrationManagement: setting({
    env: 'REGISTRATION_MANAGEMENT',
    doc: 'Whether a client that registers gets a token with which it can read, change and remove its registration (RFC 7592).',
    type: flag(),
    default: 'false',
  }),
  registrationLimit: setting({
    env: 'REGISTRATION_LIMIT',
    doc: 'Registrations an hour that one address may make. A large one counts for each KiB.',
    type: integer(1, MOST),
    default: '300',
  }),
  registrationLimitGlobal: setting({
    env: 'REGISTRATION_LIMIT_GLOBAL',
    doc: 'Registrations an hour that all addresses together may make. It bounds how fast the store grows, so each KiB counts as one; clients that are registered are not affected.',
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
