/**
 * Owns the resolution of imports in files of a mounted folder, wherever the folder is: packages of its own, or else
 * those of this server. When a file is read again after a change, its neighbours are read again too.
 */
import { realpathSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { unreadableFolder } from './load.ts';

export interface Hooks {
  close(): void;
}

/** Always this server's copy, even if the folder has its own: there must be only one class `ToolError`. */
const OURS = '@mcp-oauth/mcp-server/';

const NOT_FOUND: ReadonlySet<unknown> = new Set(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']);

/**
 * @param folder URL with a trailing slash
 * @throws StartError when the folder does not exist
 */
export function allowImportsFrom(folder: URL): Hooks {
  const real = realUrl(folder);
  const isMounted = (url: string | undefined) => url?.startsWith(folder.href) || url?.startsWith(real);
  const hooks = registerHooks({
    resolve: (specifier, context, nextResolve) => {
      const { parentURL } = context;
      if (!isMounted(parentURL)) return nextResolve(specifier, context);
      const ofServer = () => nextResolve(specifier, { ...context, parentURL: import.meta.url });
      if (specifier.startsWith(OURS)) return ofServer();
      try {
        const found = nextResolve(specifier, context);
        const version = parentURL && URL.parse(parentURL)?.search;
        const isNeighbour = version && isMounted(found.url) && !found.url.includes('?');
        return isNeighbour ? { ...found, url: found.url + version } : found;
      } catch (error) {
        const isPackage = !/^([./]|[a-z]+:)/i.test(specifier);
        if (!isPackage || !NOT_FOUND.has((error as NodeJS.ErrnoException).code)) throw error;
        // If the server does not have the package either, the error names the author's file and not one of the server.
        return orElse(ofServer, error);
      }
    },
  });
  return { close: () => hooks.deregister() };
}

function orElse<T>(attempt: () => T, earlier: unknown): T {
  try {
    return attempt();
  } catch (error) {
    throw NOT_FOUND.has((error as NodeJS.ErrnoException).code) ? earlier : error;
  }
}

/** The real path of a module, with all links resolved. */
function realUrl(folder: URL): string {
  const path = fileURLToPath(folder);
  try {
    return `${pathToFileURL(realpathSync(path)).href}/`;
  } catch (cause) {
    throw unreadableFolder(path, cause as NodeJS.ErrnoException);
  }
}
