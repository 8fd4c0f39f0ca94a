/** Owns the setting of the status lists. */
import { setting } from '@mcp-oauth/shared/settings/config';
import { oneOf } from '@mcp-oauth/shared/settings/types';

export const revocationSettings = {
  statusLists: setting({
    env: 'STATUS_LISTS',
    doc: 'Whether access tokens refer to a published status list, on or off. A resource server that reads the list refuses the tokens of an ended approval within seconds; without a list they are valid until they expire.',
    type: oneOf('on', 'off'),
    default: 'on',
  }),
};
