/** Owns the table of all commands of auth-server. */
import { auditCommands } from '@mcp-oauth/shared/audit/cli/audit-commands';
import { audited } from '@mcp-oauth/shared/audit/cli/audited';
import { flowCommands } from '@mcp-oauth/shared/audit/cli/flow-commands';
import { createWithTrail } from '@mcp-oauth/shared/audit/reading/opened';
import type { CommandGroup } from '@mcp-oauth/shared/cli/command';
import { serveCommand } from '@mcp-oauth/shared/cli/serve';
import type { ConnectorKinds } from '../federation/registry.ts';
import { clientDocumentsCommands } from './client-documents.ts';
import { clientsCommands } from './clients/clients.ts';
import { configureCommand } from './configure/configure.ts';
import { explainClientCommand } from './explain-client/command.ts';
import { grantsCommands } from './grants/grants.ts';
import { initialAccessTokensCommands } from './initial-access-tokens.ts';
import { keysCommands } from './keys.ts';
import { peopleCommands } from './people/people.ts';
import { configOf, SERVICE, withScratchStore, withStore } from './store.ts';
import { tokensCommands } from './tokens/command.ts';

const withTrail = createWithTrail('auth-server', configOf);

/** What changes something that lasts, and so has an entry in the audit. What ends access has one that says what has ended. */
const CHANGES = new Set([
  'clients add',
  'clients remove',
  'keys rotate',
  'keys retire',
  'keys import',
  'initial-access-tokens add',
  'initial-access-tokens remove',
  'tokens add',
]);

/** @param serve runs the server until it is told to stop */
export const createCommands = (serve: () => Promise<void>, kinds: ConnectorKinds): CommandGroup =>
  audited(table(serve, kinds), CHANGES, SERVICE, configOf);

const table = (serve: () => Promise<void>, kinds: ConnectorKinds): CommandGroup => ({
  name: 'auth-server',
  summary: 'OAuth 2.1 authorization server for MCP clients. Commands use the store that the settings name.',
  default: 'serve',
  commands: [
    serveCommand(serve),
    configureCommand(kinds),
    clientsCommands(withStore),
    clientDocumentsCommands(),
    explainClientCommand({ withStore: withScratchStore }),
    peopleCommands(withStore),
    grantsCommands(withStore),
    keysCommands(withStore),
    initialAccessTokensCommands(withStore),
    tokensCommands(withStore),
    auditCommands(withTrail),
    flowCommands(withTrail),
  ],
});
