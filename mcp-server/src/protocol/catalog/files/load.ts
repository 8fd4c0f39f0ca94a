/**
 * Owns the discovery of definitions: the default exports of the files `<name>.tool.ts`, `.resource.ts` and
 * `.prompt.ts` (or `.js`) of a folder.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { StartError } from '@mcp-oauth/shared/errors';
import { kindOf as typeOf } from '../../author-fault.ts';
import { compileCatalog, type Problem } from '../catalog.ts';
import { placeOf } from './location.ts';
import { misnamed, misplaced } from './overlooked.ts';
import { KINDS, type Kind, readSource, type Source } from './source.ts';

export interface Found {
  readonly sources: readonly Source[];
  readonly problems: readonly Problem[];
  /** Names of other files in the folder: files that definitions import, and unrelated ones. */
  readonly others: readonly string[];
}

/** Maximum seconds for the loading of a file: one that waits must not keep the server from starting. */
const LONGEST_LOAD = 10;

/** Names without a leading dot: editors and systems use those for their own files. */
const NAME = new RegExp(`^[^.].*\\.(${KINDS.join('|')})\\.[jt]s$`);

const kindOf = (file: string): Kind | undefined => KINDS.find((kind) => NAME.exec(file)?.[1] === kind);

/**
 * Loads the definitions of a folder, and reports those that can't be loaded.
 * @param folder URL with a trailing slash
 * @param version a new version makes changed files be read again
 * @throws StartError when the folder does not exist
 */
export async function findIn(folder: URL, version = 0): Promise<Found> {
  const path = fileURLToPath(folder);
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    throw unreadableFolder(path, cause);
  });
  const files = entries.map(({ name }) => name).sort();
  const scripts = files.filter((name) => /\.[jt]s$/.test(name)).map((name) => join(path, name));
  const sources: Source[] = [];
  const problems: Problem[] = [...(await misplaced(path, entries))];
  const others: string[] = [];
  const load = async (file: string, kind: Kind) => {
    const url = new URL(encodeURIComponent(file), folder);
    const from = fileURLToPath(url);
    try {
      // Reading a pipe would never end.
      if (!(await stat(url)).isFile()) throw new Error('it is not a regular file');
      sources.push(readSource(kind, await importDefault(url, version), from));
    } catch (error) {
      problems.push(problemOf(error, from, scripts));
    }
  };
  // One after the other: of two definitions with one name, the same one must always come first.
  for (const file of files) {
    const kind = kindOf(file);
    const reason = kind ? undefined : await misnamed(path, file);
    if (kind) await load(file, kind);
    else if (reason) problems.push({ from: join(path, file), reason });
    else others.push(file);
  }
  return { sources, problems, others };
}

/** Describes a problem for the author, with its position where that is known. */
function problemOf(error: unknown, from: string, scripts: readonly string[]): Problem {
  const thrown = typeof error === 'string' ? JSON.stringify(error) : typeOf(error);
  const reason =
    error instanceof Error ? error.message || error.name : `it threw ${thrown} instead of an error while it was loaded`;
  const place = placeOf(
    error,
    from,
    scripts.filter((script) => script !== from),
  );
  const advice = /^Cannot find package/.test(reason)
    ? `; packages are looked for in ${join(dirname(from), 'node_modules')}`
    : '';
  if (!place) return { from, reason: `${reason}${advice}` };
  const elsewhere = basename(place.file) !== basename(from);
  if (elsewhere) return { from, reason: `${place.file}:${place.line}: ${reason}${advice}` };
  return { from, line: place.line, reason: `${reason}${advice}` };
}

const WHY: ReadonlyMap<string | undefined, string> = new Map([
  ['ENOENT', 'it does not exist'],
  ['ENOTDIR', 'it is not a folder'],
  ['EACCES', 'the server has no permission to read it'],
]);

export function unreadableFolder(path: string, cause: NodeJS.ErrnoException): StartError {
  const why = WHY.get(cause.code);
  return new StartError(`the folder ${path} can't be read (${cause.code})${why ? `: ${why}` : ''}`, { cause });
}

async function importDefault(url: URL, version: number): Promise<unknown> {
  const address = version === 0 ? url.href : `${url.href}?version=${version}`;
  const loaded: Promise<{ readonly default?: unknown }> = import(address);
  const waiting = new AbortController();
  const late = setTimeout(LONGEST_LOAD * 1000, undefined, { signal: waiting.signal, ref: false }).then(() => {
    throw new TypeError(
      `it was not loaded within ${LONGEST_LOAD} s; move what it waits for into the function that it runs`,
    );
  });
  late.catch(() => {});
  try {
    return (await Promise.race([loaded, late])).default;
  } finally {
    waiting.abort();
  }
}

/**
 * Loads the built-in definitions from `tools/`, `resources/` and `prompts/` below a folder.
 * @throws StartError for any definition that can't be offered
 */
export async function findBuiltIn(root: URL): Promise<readonly Source[]> {
  const found = await Promise.all(KINDS.map((kind) => findIn(new URL(`${kind}s/`, root))));
  const sources = found.flatMap((one) => one.sources);
  refuseAny([...found.flatMap((one) => one.problems), ...compileCatalog(sources).problems]);
  return sources;
}

/** @throws StartError with all problems, when there are any */
export function refuseAny(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  throw new StartError(
    problems
      .map(({ from, line, reason }) => `${line === undefined ? from : `${from}:${line}`} can't be offered: ${reason}`)
      .join('\n'),
  );
}
