/**
 * Owns requests on connections of their own. This process is so busy that it would reuse connections which the server
 * has already closed as idle.
 */
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Asked {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: string;
}

export async function ask(url: string, question: Question = {}): Promise<Asked> {
  const answer = await begin(url, question);
  return { status: answer.statusCode ?? 0, headers: answer.headers, text: await text(answer) };
}

/** The same, with status 0 for an answer that breaks off: a person who exceeds the memory allowance is disconnected. */
export const askGreedily = (url: string, question: Question): Promise<Asked> =>
  ask(url, question).catch((error: Error) => {
    if (error.message !== 'aborted') throw error;
    return { status: 0, headers: {}, text: '' };
  });

/** The answer; nothing of its body is read yet. */
export function begin(url: string, { method = 'GET', headers = {}, body }: Question): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    request(url, { method, agent: false, family: 4, headers: { ...headers, ...length } }, resolve)
      .once('error', reject)
      .end(body);
  });
}

/** Number of concurrent requests that one machine can make. */
const AT_A_TIME = 20;

/** Runs an action many times, with a limit on concurrent runs. */
export async function times<T>(count: number, make: (n: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  let next = 0;
  const work = async () => {
    while (next < count) {
      next += 1;
      const n = next;
      made[n - 1] = await make(n);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return made;
}
