/**
 * Owns the copies of client metadata documents that the operator puts into a folder. The command `client-documents fetch` writes
 * them: one document per file, with its URL and the time of the fetch, from which its expiry is counted.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@mcp-oauth/shared/clock';
import { StartError } from '@mcp-oauth/shared/errors';
import type { Logger } from '@mcp-oauth/shared/logger';
import { z } from 'zod';

/** Seconds after its fetch that a copy may be used. */
export const COPY_LIFETIME = 180 * 86_400;

const LARGEST = 16 * 1_024;
const MOST_FILES = 200;
/** Milliseconds until the folder is read again. */
const PAUSE = 10_000;
/** Seconds that the clock of the machine which fetched it may be ahead. */
const TOLERANCE = 3_600;

const schema = z.strictObject({
  client_id: z.string().min(1),
  fetched_at: z.iso.datetime(),
  document: z.record(z.string(), z.unknown()),
});

export interface OperatorCopy {
  /** Name of its file. */
  readonly file: string;
  readonly clientId: string;
  /** In seconds since the epoch. */
  readonly fetchedAt: number;
  readonly document: Readonly<Record<string, unknown>>;
}

/** A file that is not a copy, and why. */
interface OddFile {
  readonly file: string;
  readonly reason: string;
}

export interface CopyFolder {
  /** The newest copy of each client. */
  readonly copies: ReadonlyMap<string, OperatorCopy>;
  readonly odd: readonly OddFile[];
}

export const endOf = ({ fetchedAt }: OperatorCopy): number => fetchedAt + COPY_LIFETIME;

export const dateOf = (secondsSinceEpoch: number): string => new Date(secondsSinceEpoch * 1000).toISOString();

/** The name shows host and path; the digest makes it unique. */
export function fileNameOf(clientId: string): string {
  const { hostname, pathname } = new URL(clientId);
  const words = `${hostname}${pathname}`.replace(/[^a-z0-9.-]+/gi, '-').slice(0, 80);
  return `${words}-${createHash('sha256').update(clientId).digest('hex').slice(0, 8)}.json`;
}

export function textOf(copy: Omit<OperatorCopy, 'file'>): string {
  const { clientId, fetchedAt, document } = copy;
  return `${JSON.stringify({ client_id: clientId, fetched_at: dateOf(fetchedAt), document }, null, 2)}\n`;
}

/** @throws the error of the file system if the folder cannot be read */
export async function readCopies(folder: string, clock: Clock): Promise<CopyFolder> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json') && !name.startsWith('.')).sort();
  const copies = new Map<string, OperatorCopy>();
  const odd: OddFile[] = names.slice(MOST_FILES).map((file) => ({ file, reason: `more than ${MOST_FILES} files` }));
  for (const file of names.slice(0, MOST_FILES)) {
    const copy = await readCopy(join(folder, file), file, clock);
    if ('reason' in copy) odd.push(copy);
    else if ((copies.get(copy.clientId)?.fetchedAt ?? 0) < copy.fetchedAt) copies.set(copy.clientId, copy);
  }
  return { copies, odd };
}

async function readCopy(path: string, file: string, clock: Clock): Promise<OperatorCopy | OddFile> {
  try {
    const parsed = schema.safeParse(JSON.parse(await readBounded(path)));
    if (!parsed.success) return { file, reason: z.prettifyError(parsed.error).replace(/\s+/g, ' ') };
    const { client_id: clientId, fetched_at, document } = parsed.data;
    const fetchedAt = Math.floor(Date.parse(fetched_at) / 1000);
    if (fetchedAt > clock.now() / 1000 + TOLERANCE) return { file, reason: 'fetched_at is in the future' };
    return { file, clientId, fetchedAt, document };
  } catch (error) {
    return { file, reason: error instanceof Error ? error.message : String(error) };
  }
}

async function readBounded(path: string): Promise<string> {
  // O_NONBLOCK: opening a named pipe must not wait for a writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(LARGEST + 1), 0, LARGEST + 1, 0);
    if (bytesRead > LARGEST) throw new Error(`is larger than ${LARGEST} bytes`);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Seconds before the expiry of a copy from which it is reported. */
const SOON = 14 * 86_400;

/**
 * Logs at start what the folder contains, so that no copy expires unnoticed.
 * @throws StartError if the folder cannot be read
 */
export async function checkCopies(folder: string, { clock, log }: { readonly clock: Clock; readonly log: Logger }) {
  const { copies, odd } = await readCopies(folder, clock).catch((cause: NodeJS.ErrnoException) => {
    throw new StartError(`CLIENT_METADATA_COPIES: the folder ${folder} can't be read (${cause.code})`, { cause });
  });
  for (const { file, reason } of odd) log.warn({ file, reason }, 'file is not a copy of a client document');
  for (const copy of copies.values()) {
    const { file, clientId: client } = copy;
    const isEnding = endOf(copy) - SOON <= clock.now() / 1000;
    if (isEnding)
      log.warn(
        { client, file, ends: dateOf(endOf(copy)) },
        'copy of a client document has expired or expires soon: fetch it again',
      );
  }
  log.info({ folder, copies: copies.size }, 'copies of client documents');
}

/** The copy of a client, if there is one. */
export type FindCopy = (clientId: string) => Promise<OperatorCopy | undefined>;

/** Watches the folder: a copy that is added, replaced or removed takes effect within seconds. */
export function followCopies(
  folder: string,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): FindCopy {
  let known: ReadonlyMap<string, OperatorCopy> = new Map();
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;
  const told = new Set<string>();
  const read = async (): Promise<void> => {
    try {
      const { copies, odd } = await readCopies(folder, clock);
      known = copies;
      for (const { file, reason } of odd) {
        const line = `${file}: ${reason}`;
        if (!told.has(line) && told.size < MOST_FILES)
          log.warn({ file, reason }, 'file is not a copy of a client document');
        told.add(line);
      }
    } catch (error) {
      log.warn({ folder, reason: String(error) }, 'cannot read the folder with copies of client documents');
    }
    readAt = clock.now();
    reading = undefined;
  };
  return async (clientId) => {
    if (clock.now() - readAt >= PAUSE) {
      reading ??= read();
      await reading;
    }
    return known.get(clientId);
  };
}
