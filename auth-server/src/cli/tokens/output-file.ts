/** Owns the file into which a command writes a new token: only its owner can read it, and no other file is overwritten. */
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { StartError } from '@mcp-oauth/shared/errors';

export interface TokenFile {
  /** Writes the token and closes the file. */
  keep(token: string): void;
  /** Removes the file, because there is no token. */
  drop(): void;
}

/** Opens the file first: a token that could be written nowhere would be lost, and still be valid. */
export function openTokenFile(path: string): TokenFile {
  let file: number;
  try {
    file = openSync(path, 'wx', 0o600);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason = code === 'EEXIST' ? 'it exists already' : code;
    throw new StartError(`--output: ${JSON.stringify(path)} can't be written (${reason})`, { cause });
  }
  return {
    keep: (token) => {
      writeSync(file, `${token}\n`);
      closeSync(file);
    },
    drop: () => {
      closeSync(file);
      unlinkSync(path);
    },
  };
}
