/**
 * Owns a stream of events that the doctor keeps open while it sends requests. Each event has a time limit, and the stream one of time
 * and of bytes: it must not last as long as a server likes.
 */
import { type AskOptions, begin, isEventStream, MOST_BYTES, type ProbeRequest, type ProbeResponse } from './request.ts';

interface StreamEvent {
  /** `message` unless the stream names another. */
  readonly event: string;
  readonly data: string;
}

export interface OpenStream {
  /** Without a body. */
  readonly head: ProbeResponse;
  /** @returns undefined after the end of the stream, or if no event comes in time */
  next(): Promise<StreamEvent | undefined>;
  close(): void;
}

export type Listen = (asked: ProbeRequest) => Promise<OpenStream>;

/** A stream ends when as many events could have come as late as they may. */
const MOST_EVENTS_LATE = 5;

export const createListen =
  (options: AskOptions): Listen =>
  async (asked) => {
    const { head, answer } = await begin(asked, options);
    if (!answer || !isEventStream(head)) {
      answer?.destroy();
      return { head, next: async () => undefined, close: () => {} };
    }
    const lifetime = setTimeout(() => answer.destroy(), MOST_EVENTS_LATE * options.timeout);
    const arrived: StreamEvent[] = [];
    let rest = '';
    let length = 0;
    let over = false;
    let wake = () => {};
    const end = () => {
      clearTimeout(lifetime);
      over = true;
      wake();
    };
    answer.setEncoding('utf8');
    answer.on('data', (chunk: string) => {
      length += chunk.length;
      if (length > MOST_BYTES) answer.destroy();
      const blocks = `${rest}${chunk}`.split(/\r?\n\r?\n|\r\r/);
      rest = blocks.pop() ?? '';
      arrived.push(...blocks.flatMap(eventIn));
      if (arrived.length > 0) wake();
    });
    for (const name of ['end', 'error', 'close']) answer.once(name, end);
    const next = async () => {
      const timer = setTimeout(() => wake(), options.timeout);
      if (arrived.length === 0 && !over)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      clearTimeout(timer);
      return arrived.shift();
    };
    const close = () => {
      answer.destroy();
    };
    return { head, next, close };
  };

/** HTML standard §9.2.6; a block of comments is no event. */
function eventIn(block: string): readonly StreamEvent[] {
  const fields = block.split(/\r\n|\r|\n/).map((line) => /^(event|data): ?(.*)$/s.exec(line) ?? []);
  const data = fields.filter(([, name]) => name === 'data').map(([, , value = '']) => value);
  const event = fields.findLast(([, name]) => name === 'event')?.[2];
  return data.length > 0 ? [{ event: event || 'message', data: data.join('\n') }] : [];
}
