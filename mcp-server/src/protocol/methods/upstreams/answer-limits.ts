/**
 * Owns the limits of an answer that a tool gets from an upstream: how long it may take, and how long it may be. An upstream that sends
 * without an end must fill no memory.
 */
import { AuthorFault } from '../../author-fault.ts';
import type { Call } from '../../call.ts';
import { ToolError, type UpstreamRequestInit } from '../../define.ts';
import { whileItRuns } from './running.ts';

export interface AnswerLimits {
  /** Milliseconds. */
  readonly timeout: number;
  /** Bytes. */
  readonly maxBytes: number;
}

/** Milliseconds. A call of a tool must end at some time. */
const LONGEST = 10 * 60_000;

const DEFAULT: AnswerLimits = { timeout: 60_000, maxBytes: 16 * 1_024 * 1_024 };

/** @throws AuthorFault */
export function limitsIn({ timeout, maxBytes }: UpstreamRequestInit = {}): AnswerLimits {
  return {
    timeout: timeout === undefined ? DEFAULT.timeout : wholeNumber('timeout', timeout, LONGEST),
    maxBytes: maxBytes === undefined ? DEFAULT.maxBytes : wholeNumber('maxBytes', maxBytes, Number.MAX_SAFE_INTEGER),
  };
}

function wholeNumber(name: string, value: unknown, most: number): number {
  if (Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= most) return Number(value);
  throw new AuthorFault(`${name} has to be a whole number from 1 to ${most}`);
}

interface Read {
  /** The call that has made the request. Its signals also end the reading of the answer. */
  readonly call: Pick<Call, 'ended'>;
  /** Name of the upstream. */
  readonly name: string;
  readonly maxBytes: number;
  /** Whether the call or the tool has ended the request. */
  readonly isAborted: () => boolean;
}

/** The same answer, whose body fails with a ToolError when it is too long or breaks off. */
export function limited(response: Response, { call, name, maxBytes, isAborted }: Read): Response {
  if (!response.body) return response;
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  let left = maxBytes;
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    const { done, value } = await whileItRuns(call, reader.read()).catch((cause: unknown) => {
      throw isAborted() ? cause : new ToolError(`The answer of ${name} broke off. Try again later.`, { cause });
    });
    if (done) {
      controller.close();
      return;
    }
    left -= value.byteLength;
    if (left < 0) {
      await reader.cancel();
      throw new ToolError(`The answer of ${name} is longer than ${maxBytes} bytes.`);
    }
    controller.enqueue(value);
  };
  const body = new ReadableStream({ pull, cancel: (reason) => reader.cancel(reason) }, { highWaterMark: 0 });
  return new Response(body, response);
}
