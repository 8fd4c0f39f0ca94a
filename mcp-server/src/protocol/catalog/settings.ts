/** Owns the settings of the catalog: built-in and mounted tools, resources and prompts, and who sees them. */
import { optional, setting } from '@mcp-oauth/shared/settings/config';
import * as type from '@mcp-oauth/shared/settings/types';

export const catalogSettings = {
  unpermittedTools: setting({
    env: 'UNPERMITTED_TOOLS',
    doc: 'Whether the lists for a caller contain tools, resources and prompts whose scope the caller lacks. `list`: the caller sees them and can request their scope. `hide`: neither the lists nor the landing page contain them. Using one is answered with 403 in both cases.',
    type: type.oneOf('list', 'hide'),
    default: 'list',
  }),
  builtInTools: setting({
    env: 'BUILT_IN_TOOLS',
    doc: 'Whether the built-in tools, resources and prompts are offered.',
    type: type.flag(),
    default: 'true',
  }),
  toolsDir: optional({
    env: 'TOOLS_DIR',
    doc: 'Folder with more `*.tool.ts`, `*.resource.ts` and `*.prompt.ts` files (or .js) to offer. Their code runs in this server, so restrict write access to the folder. Outside production, changes are picked up while the server runs.',
    type: type.text(),
    example: '/tools',
  }),
  toolsDirStrict: setting({
    env: 'TOOLS_DIR_STRICT',
    doc: 'Whether one broken file in TOOLS_DIR prevents the server from starting. With `false` the file is reported in the log and left out.',
    type: type.flag(),
    default: 'false',
  }),
} as const;
