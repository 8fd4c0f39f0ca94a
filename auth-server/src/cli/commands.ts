/** Owns the table of all commands of auth-server. */
import type { CommandGroup } from '@mcp-oauth/shared/cli/command';
import { serveCommand } from '@mcp-oauth/shared/cli/serve';
import type { ConnectorKinds } from '../federation/registry.ts';
import { clientDocumentsCommands } from './client-documents.ts';
import { clientsCommands } from './clients.ts';
import { configureCommand } from './configure/configure.ts';
import { explainClientCommand } from './explain-client/command.ts';
import { initialAccessTokensCommands } from './initial-access-tokens.ts';
import { keysCommands } from './keys.ts';
import { peopleCommands } from './people.ts';
import { withScratchStore, withStore } from './store.ts';

/** @param serve runs the server until it is told to stop */
export const createCommands = (serve: () => Promise<void>, kinds: ConnectorKinds): CommandGroup => ({
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
    keysCommands(withStore),
    initialAccessTokensCommands(withStore),
  ],
});
