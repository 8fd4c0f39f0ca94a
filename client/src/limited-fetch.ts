/** Owns how much of an answer is read: a server that is not known must not fill the memory of this machine. */
import { StartError } from '@mcp-oauth/shared/errors';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';

/** Far more than a list of tools or a document has. */
const MOST_BYTES = 64 * 1024 * 1024;

/** What ends an event. */
const EMPTY_LINES = ['\n\n', '\r\n\r\n', '\r\r'];

/** An event stream may last for ever, so the limit is that of each event. */
export const limitedFetch =
  (fetch: Fetch, most = MOST_BYTES): Fetch =>
  async (input, init) => {
    const response = await fetch(input, init);
    if (!response.body) return response;
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    let length = 0;
    let last = '';
    const count = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        length += chunk.length;
        if (isStream) {
          // An event ends with an empty line, which two chunks may share.
          const text = last + Buffer.from(chunk).toString('latin1');
          const ends = EMPTY_LINES.filter((line) => text.includes(line)).map(
            (line) => text.lastIndexOf(line) + line.length,
          );
          if (ends.length > 0) length = text.length - Math.max(...ends);
          last = text.slice(-3);
        }
        if (length > most) throw new StartError(`the answer has more than ${most} bytes`);
        controller.enqueue(chunk);
      },
    });
    return new Response(response.body.pipeThrough(count), response);
  };
