/** Owns the table of all commands of mcp-server. */

import { auditCommands } from '@mcp-oauth/shared/audit/cli/audit-commands';
import { audited } from '@mcp-oauth/shared/audit/cli/audited';
import { createWithTrail } from '@mcp-oauth/shared/audit/reading/opened';
import type { CommandGroup } from '@mcp-oauth/shared/cli/command';
import { serveCommand } from '@mcp-oauth/shared/cli/serve';
import manifest from '../../package.json' with { type: 'json' };
import { readConfig } from '../config.ts';
import { exchangeKeyCommand } from './exchange-key.ts';
import { explainTokenCommand } from './explain-token/command.ts';
import { sessionsCommands } from './sessions.ts';
import { withSessions } from './storage.ts';

const SERVICE = { service: 'mcp-server', version: manifest.version } as const;

/** @param serve runs the server until it is told to stop */
export const createCommands = (serve: () => Promise<void>): CommandGroup =>
  audited(table(serve), new Set(['sessions end']), SERVICE, readConfig);

const table = (serve: () => Promise<void>): CommandGroup => ({
  name: 'mcp-server',
  summary: 'MCP server behind OAuth access tokens. Commands use the settings of the server.',
  default: 'serve',
  commands: [
    serveCommand(serve),
    sessionsCommands(withSessions),
    explainTokenCommand(),
    exchangeKeyCommand(),
    auditCommands(createWithTrail('mcp-server', readConfig)),
  ],
});
