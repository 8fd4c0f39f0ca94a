/**
 * Owns a program that loads folders as a server does at its start, with Node's own loader, and prints the messages
 * about each.
 */
import { pathToFileURL } from 'node:url';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openCatalog } from '../../../../src/protocol/catalog/live-catalog.ts';

const [strict, ...paths] = process.argv.slice(2);
const reports = [];
for (const path of paths) {
  const lines: unknown[] = [];
  const log = createLogger('test', 'debug', { write: (line) => void lines.push(JSON.parse(line)) });
  const mount = { folder: pathToFileURL(`${path}/`), strict: strict === 'strict', watch: false };
  try {
    const catalog = await openCatalog([], mount, log);
    reports.push({ lines, names: catalog.current().tools.entries.map(({ key }) => key) });
    catalog.close();
  } catch (error) {
    reports.push({ lines, names: [], error: String(error) });
  }
}
process.stdout.write(JSON.stringify(reports));
