/** Proves what the address on this machine accepts while a person signs in: the answer with the right state, and nothing else. */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { listenOnLoopback } from '../../src/sign-in/loopback.ts';

/** Sends a request whose target no HTTP library would send. */
function ask(redirectUrl: string, target: string): Promise<string> {
  const { port, host } = new URL(redirectUrl);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  return text(socket);
}

it.each(['//', 'http://', '/callback', '/callback?state=other&code=x', '//callback?state=mine&code=x', '*'])(
  'RFC 6749 §10.12 a request for %s is answered 404 and does not end the sign-in',
  async (target) => {
    await using loopback = await listenOnLoopback('mine');
    expect(await ask(loopback.redirectUrl, target)).toMatch(/^HTTP\/1.1 404 /);
    expect(await ask(loopback.redirectUrl, '/callback?state=mine&code=good')).toMatch(/^HTTP\/1.1 200 /);
    expect((await loopback.answer(1_000)).get('code')).toBe('good');
  },
);
