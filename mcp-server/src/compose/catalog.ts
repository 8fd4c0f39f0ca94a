/** Owns the wiring of the catalog: the built-in definitions, and those in TOOLS_DIR. */
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { Config } from '../config.ts';
import { compileCatalog } from '../protocol/catalog/catalog.ts';
import { findBuiltIn } from '../protocol/catalog/files/load.ts';
import { fixedCatalog, type LiveCatalog, openCatalog } from '../protocol/catalog/live-catalog.ts';

const SOURCES = new URL('../', import.meta.url);

/** Outside of production the mounted files are being developed, and changes take effect immediately. */
export async function composeCatalog(config: Config, log: Logger): Promise<LiveCatalog> {
  const { builtInTools, toolsDir, toolsDirStrict: strict, environment } = config;
  const builtIn = builtInTools ? await findBuiltIn(SOURCES) : [];
  if (toolsDir === undefined) return fixedCatalog(compileCatalog(builtIn).catalog);
  const folder = pathToFileURL(join(resolve(toolsDir), '/'));
  return openCatalog(builtIn, { folder, strict, watch: environment !== 'production' }, log);
}
