/**
 * Owns the cache of a document of another server: fetched when first needed, renewed in the background, with one fetch for concurrent
 * calls. While the server is down, the last valid copy is used for a week (RFC 8414, RFC 9728 §3).
 */
import type { Clock } from '../clock.ts';
import { createOutage } from '../network/outage.ts';
import { type Fetch, plainly } from '../network/outgoing-fetch.ts';

/** Called for every failed attempt. `isNews` is true for the first failure and for every new reason, as an outage may be long. */
export type OnFailure = (error: unknown, isNews: boolean) => void;

export interface RemoteDocument<T> {
  /** @throws DocumentUnavailable while there is no copy: there was never one, or the last is too old */
  get(): Promise<T>;
  /** Like `get`, but waits for a newer copy if nobody asked for so long that this one is very old, unless the server is down. */
  recent(): Promise<T>;
  /** Like `get`, but fetches first, unless that was done within the cooldown. */
  renew(): Promise<T>;
  /** The copy, without a fetch. */
  peek(): T | undefined;
  /** Fetches whatever the cooldown, for callers that a stranger cannot cause to call. */
  reload(): Promise<T>;
  /** Renews an old copy in the background. */
  touch(): void;
  /** Milliseconds since the epoch; `undefined` while there is no copy. */
  loadedAt(): number | undefined;
}

export interface RemoteDocumentOptions<T> {
  readonly load: () => Promise<T>;
  readonly clock: Clock;
  /** Seconds after which a copy is old; the default is five minutes. */
  readonly maxAge?: number | ((value: T) => number);
  /** Seconds between two attempts to renew a copy, so that nobody can use this server to flood the other. */
  readonly cooldown?: number;
  readonly onFailure: OnFailure;
  /** Called when an outage is over. */
  readonly onRecovery?: (() => void) | undefined;
}

export class DocumentUnavailable extends Error {
  override readonly name = 'DocumentUnavailable';
}

/** Seconds for which a copy is used while its server is down. An outage of a week is noticed, and no copy is valid for ever. */
const LASTS = 7 * 86_400;

/** How many times the age after which a copy is old. A copy that is asked for again and again is renewed long before. */
const VERY_OLD = 2;

/** Without any copy there is an attempt every second, because the server may just be starting. */
const FIRST_COPY_RETRY = 1;

export const createRemoteDocument = <T>(options: RemoteDocumentOptions<T>): RemoteDocument<T> =>
  new KeptDocument(options);

class KeptDocument<T> implements RemoteDocument<T> {
  readonly #options: RemoteDocumentOptions<T> & Required<Pick<RemoteDocumentOptions<T>, 'maxAge' | 'cooldown'>>;
  #copy: { readonly value: T; readonly loadedAt: number } | undefined;
  #attemptedAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  readonly #outage = createOutage();
  #failure: unknown;

  constructor(options: RemoteDocumentOptions<T>) {
    this.#options = { maxAge: 300, cooldown: 30, ...options };
  }

  async get(): Promise<T> {
    this.#forget();
    if (!this.#copy) await this.#attempt();
    this.touch();
    return this.#current();
  }

  async recent(): Promise<T> {
    if (
      this.#copy &&
      !this.#outage.isAway &&
      this.#isOver(VERY_OLD * this.#ageOf(this.#copy.value), this.#copy.loadedAt)
    )
      await this.#attempt();
    return this.get();
  }

  async renew(): Promise<T> {
    this.#forget();
    await this.#attempt();
    return this.#current();
  }

  peek(): T | undefined {
    this.#forget();
    return this.#copy?.value;
  }

  async reload(): Promise<T> {
    this.#attemptedAt = Number.NEGATIVE_INFINITY;
    return this.renew();
  }

  touch(): void {
    if (!this.#copy) return;
    // `onFailure` has reported why it failed.
    if (this.#isDue(this.#ageOf(this.#copy.value), this.#copy.loadedAt)) this.#attempt().catch(() => {});
  }

  loadedAt(): number | undefined {
    this.#forget();
    return this.#copy?.loadedAt;
  }

  /** Seconds after which a copy is old. */
  #ageOf(value: T): number {
    const { maxAge } = this.#options;
    return typeof maxAge === 'number' ? maxAge : maxAge(value);
  }

  #forget(): void {
    if (this.#copy && this.#isOver(LASTS, this.#copy.loadedAt)) this.#copy = undefined;
  }

  #attempt(): Promise<void> {
    const pause = this.#copy ? this.#options.cooldown : FIRST_COPY_RETRY;
    if (!this.#running && this.#isDue(pause, this.#attemptedAt)) {
      this.#attemptedAt = this.#options.clock.now();
      this.#running = this.#load();
    }
    return this.#running ?? Promise.resolve();
  }

  async #load(): Promise<void> {
    try {
      this.#copy = { value: await this.#options.load(), loadedAt: this.#options.clock.now() };
      if (this.#outage.isAway) this.#options.onRecovery?.();
      this.#outage.end();
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
      this.#options.onFailure(error, this.#outage.begin(reasonOf(error)) !== undefined);
    } finally {
      this.#running = undefined;
    }
  }

  #current(): T {
    if (!this.#copy) throw new DocumentUnavailable('there is no copy', { cause: this.#failure });
    return this.#copy.value;
  }

  /** A time in the future means that the clock was set back: waiting for it could take for ever. */
  #isDue(seconds: number, since: number): boolean {
    return this.#isOver(seconds, since) || since > this.#options.clock.now();
  }

  #isOver(seconds: number, since: number): boolean {
    return this.#options.clock.now() - since >= seconds * 1000;
  }
}

/** Why a document could not be fetched, in one line for the log; fetch hides the network error in the cause. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(reasonOf).join('; ');
  if (!(error instanceof Error)) return String(error);
  return error.cause ? `${error.message}: ${reasonOf(error.cause)}` : error.message;
}

/** The server was silent for too long, and would be for another document. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

const TIMEOUT = 5_000;
const MAX_BYTES = 512 * 1024;

/** @throws NoAnswer, or an Error if the answer is not JSON within the limits of size and time */
export const fetchJson = async (fetch: Fetch, url: string): Promise<unknown> => (await fetchDocument(fetch, url)).body;

/** The same with the headers of the answer, which say how long it may be cached. */
export async function fetchDocument(
  fetch: Fetch,
  url: string,
): Promise<{ readonly body: unknown; readonly headers: Headers }> {
  const signal = AbortSignal.timeout(TIMEOUT);
  // A query may have a secret.
  const [place = url] = url.split('?');
  try {
    const response = await plainly(fetch)(url, { headers: { accept: 'application/json' }, redirect: 'error', signal });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`${place} answered ${response.status}`);
    }
    return { body: parsed(await readText(response, place), place), headers: response.headers };
  } catch (error) {
    if (signal.aborted) throw new NoAnswer(`${place} did not answer within ${TIMEOUT / 1000} s`);
    throw reasonOf(error).includes(place) ? error : new Error(place, { cause: error });
  }
}

/** The error of JSON.parse does not say whose text it is. */
function parsed(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${url} answered no JSON`);
  }
}

/** @throws if the body is longer */
export async function readText(response: Response, url: string, most = MAX_BYTES): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > most) throw new Error(`${url} is larger than ${most} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
