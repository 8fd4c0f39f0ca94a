/** Proves what an open event stream writes, and when (WHATWG HTML §9.2). */
import { serve } from '@mcp-oauth/shared/testing/listen';
import { expect, it } from 'vitest';
import { EventStream } from '../../../src/protocol/wire/event-stream.ts';

async function textOf(send: (stream: EventStream) => void | Promise<void>): Promise<readonly string[]> {
  const chunks: string[] = [];
  await using server = await serve((_, res) => {
    const write = res.write.bind(res);
    res.write = ((chunk: string) => {
      chunks.push(chunk);
      return write(chunk);
    }) as typeof res.write;
    Promise.resolve(send(new EventStream(res))).catch(() => res.destroy());
  });
  const body = await (await fetch(server.url)).text();
  return [body, ...chunks];
}

it('WHATWG HTML §9.2: the frames of one turn are written together, in their order, and with their members', async () => {
  const [body, ...chunks] = await textOf((stream) => {
    stream.send({ data: '', id: 'a:1', retry: 500 });
    stream.send({ data: '{"n":1}', id: 'a:2' });
    setImmediate(() => {
      stream.send({ data: '{"n":2}', event: 'endpoint' });
      stream.keepAlive();
      setImmediate(() => stream.end());
    });
  });
  const first = 'retry: 500\nid: a:1\ndata: \n\nid: a:2\nevent: message\ndata: {"n":1}\n\n';
  const second = 'event: endpoint\ndata: {"n":2}\n\n: keep-alive\n\n';
  expect(chunks).toEqual([first, second]);
  expect(body).toBe(first + second);
});

it('WHATWG HTML §9.2: a stream that ends in the turn of its last frame has sent it', async () => {
  const [body] = await textOf((stream) => {
    stream.send({ data: 'last' });
    stream.end();
    expect(stream.send({ data: 'too late' })).toBe(false);
  });
  expect(body).toBe('event: message\ndata: last\n\n');
});
