/** Owns the setting for clients that the operator configures: they need not register. */
import { setting } from '@mcp-oauth/shared/settings/config';
import { clients } from './clients-setting.ts';

export const clientSettings = {
  clients: setting({
    env: 'CLIENTS',
    doc: 'Clients that need not register: a JSON array of RFC 7591 metadata, each entry with `client_id` and, if the client has one, `client_secret`. A file is the better place: CLIENTS_FILE.',
    type: clients(),
    default: '[]',
    secret: true,
    example: '[{"client_id":"nightly-job","client_secret":"…","grant_types":["client_credentials"]}]',
  }),
};
