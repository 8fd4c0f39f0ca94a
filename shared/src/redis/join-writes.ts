/**
 * Owns how commands are sent to Redis: those of one turn of the event loop in one write. The client writes each of them by itself, and its
 * own pipelines cost as much processor time as the commands in them.
 */
import type { Writable } from 'node:stream';
import { setImmediate } from 'node:timers';

/** A client of one node. */
interface NodeClient {
  /** Its connection, another one after each `connect`. */
  readonly stream: Writable;
  on(event: 'connect', listener: () => void): unknown;
}

/** Call before the client is connected. It holds for all its later connections. */
export function joinWrites(client: NodeClient): void {
  client.on('connect', () => {
    const { stream } = client;
    const write = stream.write;
    const send = (): void => {
      isHeld = false;
      stream.uncork();
    };
    let isHeld = false;
    stream.write = ((...args: Parameters<typeof write>) => {
      if (!isHeld) {
        isHeld = true;
        stream.cork();
        setImmediate(send);
      }
      return write.apply(stream, args);
    }) as typeof write;
  });
}
