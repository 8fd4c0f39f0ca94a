/** Owns that the SQLite file and what SQLite puts beside it are there, and for the user alone that runs the server (CWE-732). */
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** What SQLite has beside its file. */
const BESIDE = ['', '-wal', '-shm', '-journal'];
const FOR_OTHERS = 0o077;

/**
 * Makes the file and its folder where they are missing. Permissions that are wider than they have to be, from an older version, a
 * copy or a backup that was put back, are taken away: the file holds private keys.
 * @throws Error when something else than a file or a folder is there, or the permissions can't be changed
 */
export function prepareFile(path: string): void {
  const folder = dirname(path);
  makeFolder(folder);
  for (const suffix of BESIDE) {
    const stat = statSync(path + suffix, { throwIfNoEntry: false });
    if (stat && !stat.isFile()) throw new Error(`${path + suffix} is not a regular file`);
    if (stat) narrow(path + suffix, stat.mode);
  }
  // SQLite gives the mode of the file to the others.
  closeSync(openSync(path, 'a', 0o600));
  // A folder that others have files in as well may be theirs to read.
  const isOurs = readdirSync(folder).every((name) => BESIDE.some((suffix) => name === basename(path) + suffix));
  const { mode, uid } = statSync(folder);
  if (isOurs && uid === process.getuid?.()) narrow(folder, mode);
}

function narrow(path: string, mode: number): void {
  if (process.platform === 'win32' || (mode & FOR_OTHERS) === 0) return;
  try {
    chmodSync(path, mode & 0o777 & ~FOR_OTHERS);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(`other users may read ${path}, and this process may not change that: ${code}`, { cause });
  }
}

/** One by one: where a file system denies that a folder can be made in one that is there (/proc), mkdir of Node tries for ever. */
function makeFolder(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return;
  if (stat) throw new Error(`${path} is no folder`);
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have been quicker.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
