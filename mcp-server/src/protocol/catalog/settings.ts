/** Owns the settings of what is offered: tools, resources and prompts, built in or mounted, and who sees them. */
import { optional, setting } from '@mcp-oauth/shared/settings/config';
import * as type from '@mcp-oauth/shared/settings/types';

export const catalogSettings = {
  unpermittedTools: setting({
    env: 'UNPERMITTED_TOOLS',
    doc: 'Whether tools, resources and prompts whose scope a caller lacks are in its lists. `list`: it sees what it could ask for. `hide`: it does not, nor does the landing page show them; using them is answered alike, with 403.',
    type: type.oneOf('list', 'hide'),
    default: 'list',
  }),
  builtInTools: setting({
    env: 'BUILT_IN_TOOLS',
    doc: 'Whether the tools, resources and prompts that this server brings along are offered.',
    type: type.flag(),
    default: 'true',
  }),
  toolsDir: optional({
    env: 'TOOLS_DIR',
    doc: 'Folder with `*.tool.ts`, `*.resource.ts` and `*.prompt.ts` files (or .js) that are offered as well. Whoever can write there decides what this server does. Outside production, changes are picked up while it runs.',
    type: type.text(),
    example: '/tools',
  }),
  toolsDirStrict: setting({
    env: 'TOOLS_DIR_STRICT',
    doc: 'Whether one broken file in TOOLS_DIR keeps the server from starting; otherwise the file is named in the log and left out.',
    type: type.flag(),
    default: 'false',
  }),
} as const;
