/**
 * Owns how the events of a log look on the wire: with ids that name stream and event, so that a client can come back for the
 * rest at any replica (MCP 2025-11-25 basic/transports, "Resumability and Redelivery").
 */
import type { StreamEvent } from '../../../sessions/ports.ts';
import type { Sink } from '../../../sessions/stream-reader.ts';
import type { EventStream } from '../../wire/event-stream.ts';

/** Milliseconds that a client waits before it comes back. */
export const RETRY = 500;

/** Before the first event of any log. */
export const START = '0-0';

/** Since then clients know events that are there for their id alone. */
const PRIMING_SINCE = '2025-11-25';

export const primes = (revision: string): boolean => revision >= PRIMING_SINCE;

/** What a client shows as `Last-Event-ID`. */
export interface EventPosition {
  /** Over HTTP+SSE the session, which has but one. */
  readonly stream: string;
  readonly after: string;
}

/** `undefined` when it is none of ours; with more digits Redis could not read it, and the stream would stay silent. */
export function readEventId(text: string): EventPosition | undefined {
  const [, stream, after] = /^([\w.-]{1,64}):(\d{1,15}-\d{1,15})$/.exec(text) ?? [];
  return stream !== undefined && after !== undefined ? { stream, after } : undefined;
}

export const eventId = (stream: string, id: string): string => `${stream}:${id}`;

export function createSink(response: EventStream, stream: string, revision: string): Sink {
  return {
    send: ({ id, data }: StreamEvent) => {
      if (data) return response.send({ id: eventId(stream, id), data });
      return primes(revision) ? response.send({ id: eventId(stream, id), retry: RETRY, data: '' }) : response.open;
    },
    keepAlive: () => response.keepAlive(),
    end: () => response.end(),
  };
}

/** Says at once from where a client can go on, should the connection break before anything has come. */
export function prime(response: EventStream, stream: string, revision: string, cursor = START): void {
  if (primes(revision)) response.send({ id: eventId(stream, cursor), retry: RETRY, data: '' });
}
