/** Owns the setting of the keys that seal what clients keep for this server. */
import { optional } from '@mcp-oauth/shared/settings/config';
import * as type from '@mcp-oauth/shared/settings/types';

export const sealingSettings = {
  sealingKeys: optional({
    env: 'SEALING_KEYS',
    doc: 'Keys that seal what clients keep for this server, such as `requestState` of MCP 2026-07-28: 32 bytes each in base64, separated by commas. The first seals, all open. Not set: made anew every day and shared over Redis, or known to one process alone.',
    type: type.secretKeys(),
    secret: true,
  }),
} as const;
