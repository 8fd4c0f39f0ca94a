/** Owns the wiring of the catalog: the built-in definitions, and those in TOOLS_DIR. */
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { Config } from '../config.ts';
import { compileCatalog } from '../protocol/catalog/catalog.ts';
import { findBuiltIn } from '../protocol/catalog/files/load.ts';
import { missingUpstreams } from '../protocol/catalog/files/source.ts';
import { fixedCatalog, type LiveCatalog, openCatalog } from '../protocol/catalog/live-catalog.ts';

const SOURCES = new URL('../', import.meta.url);

/** Outside of production the mounted files are being developed, and changes take effect immediately. */
export async function composeCatalog(config: Config, log: Logger): Promise<LiveCatalog> {
  const { builtInTools, toolsDir, toolsDirStrict: strict, environment } = config;
  const upstreams = new Set(config.upstreams.map(({ id }) => id));
  const all = builtInTools ? await findBuiltIn(SOURCES) : [];
  const builtIn = all.filter((source) => missingUpstreams(source, upstreams).length === 0);
  if (toolsDir === undefined) return fixedCatalog(compileCatalog(builtIn).catalog);
  const folder = pathToFileURL(join(resolve(toolsDir), '/'));
  return openCatalog(builtIn, { folder, strict, watch: environment !== 'production', upstreams }, log);
}
