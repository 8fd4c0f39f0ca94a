/** Owns how definitions are found: `<name>.tool.ts`, `.resource.ts` and `.prompt.ts` (or `.js`) of a folder, by default export. */
import { readdir } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { StartError } from '@mcp-oauth/shared/errors';
import { compileCatalog, type Problem } from '../catalog.ts';
import { KINDS, type Kind, readSource, type Source } from './source.ts';

export interface Found {
  readonly sources: readonly Source[];
  readonly problems: readonly Problem[];
}

/** Seconds; a file that waits for something when it is loaded must not keep the server from starting. */
const LONGEST_LOAD = 10;

/** No dot in front: that is how editors and systems name files of their own. */
const NAME = new RegExp(`^[^.].*\\.(${KINDS.join('|')})\\.[jt]s$`);

const kindOf = (file: string): Kind | undefined => KINDS.find((kind) => NAME.exec(file)?.[1] === kind);

/**
 * Loads what can be loaded of a folder; what can't is named.
 * @param folder URL with a trailing slash
 * @param version another one has a changed file read again
 * @throws StartError when there is no such folder
 */
export async function findIn(folder: URL, version = 0): Promise<Found> {
  const files = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    throw new StartError(`the folder ${fileURLToPath(folder)} can't be read (${cause.code})`, { cause });
  });
  const sources: Source[] = [];
  const problems: Problem[] = [];
  const load = async (file: string, kind: Kind) => {
    const url = new URL(encodeURIComponent(file), folder);
    const from = fileURLToPath(url);
    try {
      sources.push(readSource(kind, await importDefault(url, version), from));
    } catch (error) {
      problems.push({ from, reason: error instanceof Error ? error.message : String(error) });
    }
  };
  // One after the other: of two with one name it must not be chance which comes first.
  for (const file of files.sort()) {
    const kind = kindOf(file);
    if (kind) await load(file, kind);
  }
  return { sources, problems };
}

async function importDefault(url: URL, version: number): Promise<unknown> {
  const address = version === 0 ? url.href : `${url.href}?version=${version}`;
  const loaded: Promise<{ readonly default?: unknown }> = import(address);
  const waiting = new AbortController();
  const late = setTimeout(LONGEST_LOAD * 1000, undefined, { signal: waiting.signal, ref: false }).then(() => {
    throw new TypeError(`it was not loaded after ${LONGEST_LOAD} s`);
  });
  late.catch(() => {});
  try {
    return (await Promise.race([loaded, late])).default;
  } finally {
    waiting.abort();
  }
}

/**
 * What this package brings itself, in `tools/`, `resources/` and `prompts/` below a folder.
 * @throws StartError for whatever can't be offered
 */
export async function findBuiltIn(root: URL): Promise<readonly Source[]> {
  const found = await Promise.all(KINDS.map((kind) => findIn(new URL(`${kind}s/`, root))));
  const sources = found.flatMap((one) => one.sources);
  refuseAny([...found.flatMap((one) => one.problems), ...compileCatalog(sources).problems]);
  return sources;
}

/** @throws StartError naming all problems, when there are any */
export function refuseAny(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  throw new StartError(problems.map(({ from, reason }) => `${from} can't be offered: ${reason}`).join('\n'));
}
