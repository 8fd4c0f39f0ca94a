/** Owns the setting of the instructions that clients get when they connect (MCP `instructions`). */
import { optional } from '@mcp-oauth/shared/settings/config';
import * as type from '@mcp-oauth/shared/settings/types';

/** Maximum characters. A client may add the text to every conversation. */
const LONGEST = 8_192;

export const protocolSettings = {
  serverInstructions: optional({
    env: 'SERVER_INSTRUCTIONS',
    doc: `Text for the model that says how to use this server; sent to clients when they connect (MCP \`instructions\`). At most ${LONGEST} characters.`,
    type: type.text().refine((text) => text.length <= LONGEST, { message: `expected at most ${LONGEST} characters` }),
    example: 'Look up the number of a customer before you open a ticket.',
  }),
} as const;
