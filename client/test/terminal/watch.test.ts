/** Proves what `watch` shows of the notifications of a server, with the server of the official SDK. */
import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { Server } from '@modelcontextprotocol/server';
import { expect, it } from 'vitest';
import { createScreen } from '../../src/terminal/screen.ts';
import { announce, watch } from '../../src/terminal/watch.ts';

/** A server that tells something to each client that is ready to hear it. */
async function told(json: boolean): Promise<{ readonly result: boolean; readonly stdout: string }> {
  const server = new Server(
    { name: 'Radio', version: '1' },
    { capabilities: { logging: {}, tools: { listChanged: true }, resources: { subscribe: true, listChanged: true } } },
  );
  server.setRequestHandler('resources/subscribe', async () => ({}));
  const [near, far] = InMemoryTransport.createLinkedPair();
  await server.connect(far);
  const client = new Client({ name: 'test', version: '1' });
  let stdout = '';
  const screen = createScreen({
    stdout: {
      write: (text) => {
        stdout += text;
      },
    },
    stderr: {
      write: async (text) => {
        if (!text.startsWith('Watching')) return;
        await server.sendToolListChanged();
        await server.sendResourceUpdated({ uri: 'dice://six' });
        await server.sendLoggingMessage({ level: 'warning', logger: 'dice', data: 'loaded\u001b[2J' });
        await server.sendLoggingMessage({ level: 'debug', data: 'not asked for' });
        await server.close();
      },
    },
    json,
    isTerminal: false,
    columns: 0,
    lines: true,
  });
  announce(client, screen);
  await client.connect(near);
  const never = new Promise<void>(() => {});
  const result = await watch(client, { uris: ['dice://six'], interrupted: never }, screen);
  return { result, stdout };
}

it('MCP, logging: changes and log messages are a line each, and the end of the stream is not the end by the person', async () => {
  expect(await told(false)).toEqual({
    result: false,
    stdout: 'tools changed\ndice://six changed\nwarning dice: loaded\\u001b[2J\n',
  });
});

it('MCP, logging: each line is a JSON object with --json', async () => {
  const { stdout } = await told(true);
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { event: 'list_changed', list: 'tools' },
    { event: 'updated', uri: 'dice://six' },
    { event: 'message', level: 'warning', logger: 'dice', data: 'loaded\u001b[2J' },
  ]);
});
