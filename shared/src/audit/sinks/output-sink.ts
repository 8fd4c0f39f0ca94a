/** Owns a trail on the standard output of the process, between the lines of the log, for a collector that takes both. */
import type { Sink } from '../sink.ts';

interface Stream {
  write(text: string, done: (error?: Error | null) => void): unknown;
}

export const outputSink = (stream: Stream): Sink => ({
  write: (lines) =>
    new Promise((resolve, reject) => {
      stream.write(lines.join(''), (error) => (error ? reject(error) : resolve()));
    }),
  close: async () => {},
});
