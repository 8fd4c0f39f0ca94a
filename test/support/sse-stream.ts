/** Owns a handwritten HTTP+SSE client (2024-11-05): the stream, its endpoint, and its events. */
import type { Stack } from './stack.ts';

interface SseEvent {
  readonly event: string;
  readonly data: string;
}

export interface SseStream {
  /** The URL for messages. */
  readonly endpoint: string;
  next(): Promise<SseEvent>;
  close(): void;
}

export async function openSse(stack: Stack, accessToken: string): Promise<SseStream> {
  const controller = new AbortController();
  const response = await fetch(`${stack.mcpUrl}/sse`, {
    headers: { authorization: `Bearer ${accessToken}`, accept: 'text/event-stream' },
    signal: controller.signal,
  });
  if (!response.body) throw new Error(`GET /sse answered ${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = '';
  const next = async (): Promise<SseEvent> => {
    for (;;) {
      const end = buffer.indexOf('\n\n');
      if (end >= 0) {
        const block = buffer.slice(0, end);
        buffer = buffer.slice(end + 2);
        const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1] ?? '';
        if (field('data')) return { event: field('event'), data: field('data') };
        continue;
      }
      const { value, done } = await reader.read();
      if (done) throw new Error('the stream ended');
      buffer += value;
    }
  };
  const first = await next();
  if (first.event !== 'endpoint') throw new Error(`the first event is ${first.event}`);
  return { endpoint: new URL(first.data, stack.mcpUrl).href, next, close: () => controller.abort() };
}
