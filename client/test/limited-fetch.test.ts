/** Proves how much of an answer is read. */
import { describe, expect, it } from 'vitest';
import { limitedFetch } from '../src/limited-fetch.ts';

/** Reads an answer that comes in these chunks. */
async function read(chunks: readonly string[], type: string): Promise<string> {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(Buffer.from(chunk));
      controller.close();
    },
  });
  const fetch = limitedFetch(async () => new Response(body, { headers: { 'content-type': type } }), 10);
  return (await fetch('http://a.example')).text();
}

describe('the limit of an answer', () => {
  it('CWE-400 a document is read up to the limit', async () => {
    expect(await read(['12345', '67890'], 'application/json')).toBe('1234567890');
    await expect(read(['12345', '678901'], 'application/json')).rejects.toThrow('more than 10 bytes');
  });

  it.each(['\n\n', '\r\n\r\n', '\r\r'])(
    'CWE-400 a stream has no limit, but an event that ends with %j has',
    async (end) => {
      const events = Array.from({ length: 9 }, () => `1234${end}`);
      expect(await read(events, 'text/event-stream')).toBe(events.join(''));
      const apart = events.flatMap((event) => [...event]);
      expect(await read(apart, 'text/event-stream')).toBe(events.join(''));
      await expect(read([`1234${end}`, '1234567890a'], 'text/event-stream')).rejects.toThrow('more than 10 bytes');
    },
  );
});
