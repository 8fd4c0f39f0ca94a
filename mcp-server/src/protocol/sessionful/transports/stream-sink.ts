/**
 * Owns the wire format of log events: their ids name stream and event, so that a client can resume at any replica
 * (MCP 2025-11-25 basic/transports, "Resumability and Redelivery").
 */
import { START, type StreamEvent } from '../../../sessions/ports.ts';
import type { Sink } from '../../../sessions/stream-reader.ts';
import type { EventStream } from '../../wire/event-stream.ts';

/** Milliseconds that a client waits before it reconnects. */
export const RETRY = 500;

/** The first revision whose clients accept events that only carry an id. */
const PRIMING_SINCE = '2025-11-25';

export const primes = (revision: string): boolean => revision >= PRIMING_SINCE;

/** The content of `Last-Event-ID`. */
export interface EventPosition {
  /** Over HTTP+SSE the session, which has only one stream. */
  readonly stream: string;
  readonly after: string;
}

/**
 * `undefined` for an id that this server did not send. Redis rejects ids with more digits, and the stream would
 * stay silent.
 */
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

/** Sends an id immediately, so that the client can resume even if the connection breaks before the first event. */
export function prime(response: EventStream, stream: string, revision: string, cursor = START): void {
  if (primes(revision)) response.send({ id: eventId(stream, cursor), retry: RETRY, data: '' });
}
