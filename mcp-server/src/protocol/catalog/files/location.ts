/**
 * Owns the position, file and line, of an error in an author's files. Node reports it in a different way for each
 * kind of error, and for some kinds not at all.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { basename, dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface Place {
  readonly file: string;
  readonly line: number;
}

/**
 * @param file path of the file that was loaded
 * @param neighbours paths of files that it may have loaded in turn
 */
export function placeOf(error: unknown, file: string, neighbours: readonly string[]): Place | undefined {
  if (!(error instanceof Error)) return undefined;
  return (
    headOf(error) ??
    frameOf(error, dirname(file)) ??
    importOf(error) ??
    (error instanceof SyntaxError ? [file, ...neighbours].map(syntaxOf).find(Boolean) : undefined)
  );
}

/**
 * The line that Node writes above a stack for files that it can't parse as TypeScript, and for imports of an
 * unknown name.
 */
function headOf({ stack = '' }: Error): Place | undefined {
  const [, file, line] = /^((?:file:\/\/)?\/[^\s?]+)(?:\?[^\s:]*)?:(\d+)$/m.exec(stack.split('\n', 1)[0] ?? '') ?? [];
  return file && line ? { file: pathOf(file), line: Number(line) } : undefined;
}

/** The innermost frame in the author's files: packages of theirs were called from there. */
function frameOf({ stack = '' }: Error, folder: string): Place | undefined {
  const own = `${realOf(folder)}/`;
  for (const [, file = '', line] of stack.matchAll(/((?:file:\/\/)?\/[^()?\n]+?)(?:\?[^\s:]*)?:(\d+):\d+\)?$/gm)) {
    const path = pathOf(file);
    if (path.startsWith(own) && !path.includes('/node_modules/')) return { file: path, line: Number(line) };
  }
  return undefined;
}

/** ES modules have a URL, CommonJS modules a path. */
const pathOf = (file: string): string => (file.startsWith('file:') ? fileURLToPath(file) : file);

/**
 * An import of a missing file: the message has the importing file, and the line is the first that contains the
 * name.
 */
function importOf({ message }: Error): Place | undefined {
  const [, target = '', file = ''] =
    /^Cannot find (?:package|module) '([^']+)' imported from (\S.*)$/m.exec(message) ?? [];
  const lines = file ? textOf(file).split('\n') : [];
  const at = lines.findIndex((line) => /\b(import|export|require)\b/.test(line) && line.includes(basename(target)));
  return at < 0 ? undefined : { file, line: at + 1 };
}

/**
 * Node does not report the position of a syntax error in JavaScript. Valid JavaScript is valid TypeScript, so it is
 * parsed as that.
 */
function syntaxOf(file: string): Place | undefined {
  try {
    stripTypeScriptTypes(textOf(file), { sourceUrl: pathToFileURL(file).href });
    return undefined;
  } catch (error) {
    return error instanceof Error ? headOf(error) : undefined;
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function realOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}
