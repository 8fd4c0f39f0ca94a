/** Owns the setting of the keys that seal data for clients. */
import { optional } from '@mcp-oauth/shared/settings/config';
import * as type from '@mcp-oauth/shared/settings/types';

export const sealingSettings = {
  sealingKeys: optional({
    env: 'SEALING_KEYS',
    doc: 'Keys that encrypt data which clients keep for this server, such as `requestState` of MCP 2026-07-28: 32 bytes each in base64, separated by commas. The first encrypts, all decrypt. Not set: a new key is made every day and shared over Redis, or without Redis known to one process only.',
    type: type.secretKeys(),
    secret: true,
  }),
} as const;
