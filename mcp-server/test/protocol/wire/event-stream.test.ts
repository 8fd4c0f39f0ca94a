/** Proves what an open event stream writes, and when (WHATWG HTML §9.2). */
import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import { serve } from '@mcp-oauth/shared/testing/listen';
import { expect, it } from 'vitest';
import { EventStream } from '../../../src/protocol/wire/event-stream.ts';
import { allowance } from '../../support/limits.ts';

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

it('CWE-316: a stream that stays open keeps no header of its request, and its own head arrives before any event', async () => {
  const { promise: opened, resolve } = Promise.withResolvers<{ req: IncomingMessage; stream: EventStream }>();
  await using server = await serve((req, res) => {
    const stream = new EventStream(res);
    stream.begin();
    resolve({ req, stream });
  });
  const answer = await fetch(server.url, { headers: { Authorization: 'Bearer secret' } });
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  const { req, stream } = await opened;
  expect(inspect(req)).not.toContain('secret');
  stream.send({ data: 'first' });
  stream.end();
  expect(await answer.text()).toBe('event: message\ndata: first\n\n');
});

it('CWE-770: the last frame of a stream counts as unread like the others, and ends it beyond the limit of its reader', async () => {
  const { promise: closed, resolve } = Promise.withResolvers<boolean>();
  await using server = await serve((_, res) => {
    res.on('close', () => resolve(res.writableFinished));
    const share = allowance({ maxBytesPerPrincipal: 1_048_576 }).share({
      issuer: 'https://as.example',
      subject: 'ada',
    });
    const stream = new EventStream(res, undefined, share);
    stream.send({ data: 'x'.repeat(4_000_000) });
    stream.end();
  });
  const isWhole = await fetch(server.url).then(
    (answer) => answer.text().then(() => true),
    () => false,
  );
  expect([isWhole, await closed]).toEqual([false, false]);
});

it('CWE-770: frames that the connection takes at once do not count as unread, however many come in one turn', async () => {
  const socket = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() }) as Socket;
  const res = new ServerResponse(new IncomingMessage(socket));
  res.assignSocket(socket);
  const stream = new EventStream(res);
  const sent: boolean[] = [];
  for (let n = 0; n < 10; n += 1) {
    sent.push(stream.send({ data: 'x'.repeat(300_000) }));
    await new Promise<void>((resolve) => process.nextTick(resolve));
  }
  expect(sent).toEqual(Array(10).fill(true));
  stream.end();
});
