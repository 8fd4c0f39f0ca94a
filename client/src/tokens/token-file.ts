/**
 * Owns the file that keeps the sign-in at one MCP server: mode 0600, replaced as a whole, and locked while a process changes it. Without
 * that, two processes would use one refresh token twice, and the authorization server would take it for stolen.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '@mcp-oauth/shared/errors';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { type Grant, grantOf } from '../sign-in/grant.ts';

export interface TokenFile {
  readonly path: string;
  /** @throws StartError for a file that others can read, or that is damaged */
  read(): Promise<Grant | undefined>;
  /**
   * Changes the file while no other process does. Nothing is written if `change` gives back what it got, and undefined deletes the file.
   *
   * @returns what is in the file afterwards
   */
  update(change: (now: Grant | undefined) => Promise<Grant | undefined>): Promise<Grant | undefined>;
}

export interface TokenFileDependencies {
  readonly now: () => number;
  readonly wait: (milliseconds: number) => Promise<void>;
  /** A name that no other file has. */
  readonly unique: () => string;
}

/** XDG Base Directory Specification: a relative path is ignored. */
export function tokenFolder({ XDG_CONFIG_HOME: config }: Environment, home: string): string {
  return join(config?.startsWith('/') ? config : join(home, '.config'), 'mcp-oauth-client');
}

/** One file for each URL, to the letter. The host is for people, the digest decides. */
const nameOf = (url: URL): string =>
  `${url.host.replace(/[^\w.-]/g, '_')}-${createHash('sha256').update(url.href).digest('hex').slice(0, 16)}`;

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

export function tokenFile(folder: string, url: URL, { now, wait, unique }: TokenFileDependencies): TokenFile {
  const path = join(folder, `${nameOf(url)}.json`);
  const lock = createLock(`${path}.lock`, { now, wait });

  const read = async (): Promise<Grant | undefined> => {
    const text = await readPrivate(path);
    if (text === undefined) return undefined;
    const grant = grantOf(parsed(text));
    if (!grant) throw new StartError(`${path} is damaged: delete it, and sign in again`);
    return grant;
  };

  const write = async (grant: Grant): Promise<void> => {
    const fresh = `${path}.${unique()}`;
    try {
      const file = await open(fresh, 'wx', 0o600);
      try {
        await file.writeFile(`${JSON.stringify({ url: url.href, ...grant }, null, 2)}\n`);
        // Otherwise a power failure could leave an empty file under the right name.
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(fresh, path);
    } catch (error) {
      await rm(fresh, { force: true });
      throw unusable('kept', error);
    }
  };

  return {
    path,
    read,
    update: async (change) => {
      await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error) => {
        throw unusable('kept', error);
      });
      await lock.take();
      try {
        const before = await read();
        const after = await change(before);
        if (after && after !== before) await write(after);
        else if (!after) await rm(path, { force: true });
        return after;
      } finally {
        await lock.release();
      }
    },
  };
}

async function readPrivate(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path);
    // Reading a pipe would wait for a writer.
    if (!found.isFile()) throw new StartError(`${path} is not a regular file`);
    const { mode } = found;
    if (mode & 0o077)
      throw new StartError(`other users can read ${path}: chmod 600 it, or delete it and sign in again`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error instanceof StartError ? error : unusable('read', error);
  }
}

const unusable = (what: string, error: unknown): StartError =>
  new StartError(`the sign-in can't be ${what} (${(error as Error).message}): see --tokens`, { cause: error });

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const PAUSE = 50;
/** Longer than a renewal may take. A lock that is older is of a process that has crashed. */
const OLDEST = 40_000;
const PATIENCE = 60_000;

function createLock(path: string, { now, wait }: Pick<TokenFileDependencies, 'now' | 'wait'>) {
  const isAbandoned = async (file: string): Promise<boolean> => {
    const found = await stat(file).catch(() => undefined);
    return found !== undefined && now() - found.mtimeMs > OLDEST;
  };
  /** One process at a time: a slow one could otherwise remove the new lock of another process. */
  const removeAbandoned = async (): Promise<void> => {
    const removal = `${path}.removal`;
    if (!(await isAbandoned(path))) return;
    if (await isCreated(removal)) {
      if (await isAbandoned(path)) await rm(path, { force: true });
      await rm(removal, { force: true });
    } else if (await isAbandoned(removal)) await rm(removal, { force: true });
  };
  return {
    take: async (): Promise<void> => {
      const end = now() + PATIENCE;
      while (!(await isCreated(path))) {
        if (now() > end) throw new StartError(`${path} is held by another process: delete it if there is none`);
        await removeAbandoned();
        await wait(PAUSE);
      }
    },
    release: () => rm(path, { force: true }),
  };
}

/** @returns whether the file did not exist before */
async function isCreated(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable('kept', error);
    return false;
  }
}
