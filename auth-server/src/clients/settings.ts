/** Owns the setting of the clients that the operator writes down: they need not register. */
import { setting } from '@mcp-oauth/shared/settings/config';
import { clients } from './clients-setting.ts';

export const clientSettings = {
  clients: setting({
    env: 'CLIENTS',
    doc: 'Clients that need not register: a JSON array of RFC 7591 metadata with `client_id` and, where it has one, `client_secret`. Best in a file: CLIENTS_FILE.',
    type: clients(),
    default: '[]',
    secret: true,
    example: '[{"client_id":"nightly-job","client_secret":"…","grant_types":["client_credentials"]}]',
  }),
};
