/** Owns how long a request may take: the silence of a server has a limit, the time that a person needs has none. */
import { SdkError, SdkErrorCode } from '@modelcontextprotocol/client';

export interface Patience {
  /** Ends every request of the SDK that it is given to. */
  readonly signal: AbortSignal;
  /** Waits for an answer; without one in time `signal` is aborted. */
  during<T>(request: () => Promise<T>): Promise<T>;
  /** The server has said something: the time starts anew. */
  heard(): void;
  /** The time stands still meanwhile. */
  hold<T>(question: () => Promise<T>): Promise<T>;
}

/** For requests whose time is measured here: the longest that a timer can be. */
export const UNLIMITED = 2 ** 31 - 1;

/** @param interrupted resolves when the person wants to end the program */
export function createPatience(milliseconds: number, interrupted: Promise<void>): Patience {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let requests = 0;
  let questions = 0;
  const end = (why: string) => controller.abort(new SdkError(SdkErrorCode.RequestTimeout, why));
  const start = () => {
    clearTimeout(timer);
    timer = undefined;
    if (requests > 0 && questions === 0) timer = setTimeout(() => end('Request timed out'), milliseconds);
  };
  const { signal } = controller;
  // The SDK does not end the questions of a round.
  const ended = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  ended.catch(() => {});
  interrupted.then(() => end('Interrupted')).catch(() => {});
  return {
    signal,
    during: async (request) => {
      requests += 1;
      start();
      try {
        return await Promise.race([request(), ended]);
      } finally {
        requests -= 1;
        start();
      }
    },
    heard: start,
    hold: async (question) => {
      questions += 1;
      start();
      try {
        return await question();
      } finally {
        questions -= 1;
        start();
      }
    },
  };
}
