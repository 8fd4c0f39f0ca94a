/**
 * Owns how a document of the authorization server is kept: fetched when first needed, renewed in the background, asked
 * for once by many at a time, and served from the last good copy while its server is down.
 */
import type { Clock } from '@mcp-oauth/shared/clock';

export type Fetch = typeof globalThis.fetch;

export interface RemoteDocument<T> {
  /** @throws DocumentUnavailable while there has never been a copy */
  get(): Promise<T>;
  /** Like `get`, after asking again, unless that was done within the cooldown. */
  renew(): Promise<T>;
  /** Has an old copy renewed in the background. */
  touch(): void;
}

export interface RemoteDocumentOptions<T> {
  readonly load: () => Promise<T>;
  readonly clock: Clock;
  /** Seconds after which a copy is old; the default is five minutes. */
  readonly maxAge?: number;
  /** Seconds between two attempts to renew a copy, so that nobody can make us hammer the server. */
  readonly cooldown?: number;
  readonly onFailure: (error: unknown) => void;
}

export class DocumentUnavailable extends Error {
  override readonly name = 'DocumentUnavailable';
}

/** While there is no copy at all, every second is worth an attempt: the server may just be starting. */
const FIRST_COPY_RETRY = 1;

export function createRemoteDocument<T>(options: RemoteDocumentOptions<T>): RemoteDocument<T> {
  const { load, clock, maxAge = 300, cooldown = 30, onFailure } = options;
  let copy: { readonly value: T; readonly loadedAt: number } | undefined;
  let attemptedAt = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;

  const older = (since: number, limit: number): boolean => clock.now() - since >= limit * 1000;
  const keep = (value: T): void => {
    copy = { value, loadedAt: clock.now() };
  };
  const attempt = (pause: number): Promise<void> => {
    if (!running && older(attemptedAt, pause)) {
      attemptedAt = clock.now();
      running = load()
        .then(keep, onFailure)
        .finally(() => {
          running = undefined;
        });
    }
    return running ?? Promise.resolve();
  };
  const current = (): T => {
    if (!copy) throw new DocumentUnavailable('there is no copy yet');
    return copy.value;
  };
  const touch = (): void => {
    if (copy && older(copy.loadedAt, maxAge)) void attempt(cooldown);
  };

  return {
    touch,
    get: async () => {
      if (!copy) await attempt(FIRST_COPY_RETRY);
      touch();
      return current();
    },
    renew: async () => {
      await attempt(copy ? cooldown : FIRST_COPY_RETRY);
      return current();
    },
  };
}

/** Why a document could not be had, in one line for the log; fetch hides the network's reason in the cause. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(reasonOf).join('; ');
  if (!(error instanceof Error)) return String(error);
  return error.cause ? `${error.message}: ${reasonOf(error.cause)}` : error.message;
}

const TIMEOUT = 5_000;
const MAX_BYTES = 512 * 1024;

/** @throws when the answer is no JSON of a bearable size within the time limit */
export async function fetchJson(fetch: Fetch, url: string): Promise<unknown> {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`${url} answered ${response.status}`);
  }
  return JSON.parse(await readText(response, url));
}

async function readText(response: Response, url: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) throw new Error(`${url} is larger than ${MAX_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
