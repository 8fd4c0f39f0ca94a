import { once } from 'node:events';
import { connect } from 'node:net';
import { createAdmission } from '@mcp-oauth/shared/http/admission';
import { listen } from '@mcp-oauth/shared/http/server';
import { describe, expect, it, onTestFinished } from 'vitest';

async function start() {
  const admission = createAdmission((_, res) => res.end('served'));
  const listening = await listen(admission.handler, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => listening.close());
  return { admission, url: `http://127.0.0.1:${listening.port}`, port: listening.port };
}

describe('whether this process takes a request', () => {
  it('is answered with 204, without a body, and not kept by anybody', async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/accepting`);
    expect([answer.status, await answer.text(), answer.headers.get('cache-control')]).toEqual([204, '', 'no-store']);
  });

  it('RFC 9110 §9.2.2 gets no answer from one that is stopping, so that the GET is repeated elsewhere', async () => {
    const { admission, port } = await start();
    admission.close();
    const socket = connect(port, '127.0.0.1');
    let answered = '';
    socket.on('data', (chunk) => {
      answered += chunk;
    });
    socket.write('GET /accepting HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'close');
    expect(answered).toBe('');
  });

  it('does not concern requests that were promised a place', async () => {
    const { admission, url } = await start();
    admission.close();
    expect(await (await fetch(`${url}/mcp`, { method: 'POST', body: '{}' })).text()).toBe('served');
  });
});
