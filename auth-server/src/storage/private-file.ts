/** Ensures that the SQLite file and its companions exist, and that only the user of the server can read them (CWE-732). */
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Suffixes of the files that SQLite uses. */
const BESIDE = ['', '-wal', '-shm', '-journal'];
const FOR_OTHERS = 0o077;

/**
 * Creates the file and its folder if they are missing. Permissions for other users, from an older version, a copy or a restored
 * backup, are removed: the file contains private keys.
 * @throws Error if the paths are something else than a file or a folder, or the permissions cannot be changed
 */
export function prepareFile(path: string): void {
  const folder = dirname(path);
  makeFolder(folder);
  for (const suffix of BESIDE) {
    const stat = statSync(path + suffix, { throwIfNoEntry: false });
    if (stat && !stat.isFile()) throw new Error(`${path + suffix} is not a regular file`);
    if (stat) narrow(path + suffix, stat.mode);
  }
  // SQLite creates its companions with the mode of the file.
  closeSync(openSync(path, 'a', 0o600));
  // A folder that also contains other files keeps its permissions.
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
    throw new Error(`other users can read ${path}, and this process cannot change that: ${code}`, { cause });
  }
}

/** Creates the folders one by one: a recursive mkdir of Node never ends where a file system refuses new folders (/proc). */
function makeFolder(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return;
  if (stat) throw new Error(`${path} is not a folder`);
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have created it first.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
