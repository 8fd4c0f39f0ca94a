/** Proves when the admission check is answered, and which requests wait for the preparation of a process. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { createAdmission } from '@mcp-oauth/shared/http/admission';
import { listen } from '@mcp-oauth/shared/http/server';
import { describe, expect, it, onTestFinished } from 'vitest';

async function start(prepare?: () => Promise<void>) {
  const served: (string | undefined)[] = [];
  const admission = createAdmission(
    (req, res) => {
      served.push(req.url);
      res.end('served');
    },
    { prepare },
  );
  const listening = await listen(admission.handler, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => listening.close());
  return { admission, served, url: `http://127.0.0.1:${listening.port}`, port: listening.port };
}

describe('GET /accepting asks whether this process takes a request', () => {
  it('a process that takes requests answers the check with 204, without a body, uncached', async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/accepting`);
    expect([answer.status, await answer.text(), answer.headers.get('cache-control')]).toEqual([204, '', 'no-store']);
  });

  it('RFC 9110 §9.2.2 a stopping process closes without an answer to a GET, so that the GET is repeated elsewhere', async () => {
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

  it('the first check starts the preparation once, and is answered when the preparation ends', async () => {
    let asked = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const { url } = await start(() => {
      asked += 1;
      return promise;
    });
    expect(await (await fetch(`${url}/mcp`)).text()).toBe('served');
    expect(asked).toBe(0);
    const checks = [fetch(`${url}/accepting`), fetch(`${url}/accepting`)];
    await expect.poll(() => asked).toBe(1);
    resolve();
    expect(await Promise.all(checks.map(async (check) => (await check).status))).toEqual([204, 204]);
    expect((await fetch(`${url}/accepting`)).status).toBe(204);
    expect(asked).toBe(1);
  });

  it('a token that arrives before the first check starts the preparation and waits for it; a document does not', async () => {
    let asked = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const { url } = await start(() => {
      asked += 1;
      return promise;
    });
    const order: string[] = [];
    const call = { method: 'POST', body: '{}', headers: { authorization: 'Bearer token' } };
    const calls = [fetch(`${url}/mcp`, call), fetch(`${url}/mcp`, call)].map((answer) =>
      answer.then((response) => response.text()).then((said) => order.push(`call ${said}`)),
    );
    await expect.poll(() => asked).toBe(1);
    order.push(`document ${await (await fetch(`${url}/readyz`)).text()}`);
    resolve();
    await Promise.all(calls);
    expect(order).toEqual(['document served', 'call served', 'call served']);
    expect(asked).toBe(1);
  });

  it('a request whose client has left while it waited for the preparation does not run', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { url, served } = await start(() => promise);
    const leaving = new AbortController();
    const headers = { authorization: 'Bearer token' };
    const left = fetch(`${url}/left`, { method: 'POST', body: '{}', headers, signal: leaving.signal });
    const stayed = fetch(`${url}/stayed`, { headers });
    await fetch(url);
    leaving.abort();
    await expect(left).rejects.toThrow();
    // A connection that was closed later than that of the client that left.
    await fetch(url, { headers: { connection: 'close' } });
    resolve();
    await stayed;
    expect(served).toEqual(['/', '/', '/stayed']);
  });

  it('a preparation that fails ends the wait of checks and of tokens', async () => {
    const { url } = await start(() => Promise.reject(new Error('away')));
    const headers = { authorization: 'Bearer token' };
    expect(await (await fetch(`${url}/mcp`, { headers })).text()).toBe('served');
    expect((await fetch(`${url}/accepting`)).status).toBe(204);
  });

  it('a process that is told to stop while it prepares gives no answer', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { admission, url } = await start(() => promise);
    const check = fetch(`${url}/accepting`);
    await fetch(`${url}/mcp`);
    admission.close();
    resolve();
    await expect(check).rejects.toThrow();
  });

  it('a stopping process still serves the requests that it promised to take', async () => {
    const { admission, url } = await start();
    admission.close();
    expect(await (await fetch(`${url}/mcp`, { method: 'POST', body: '{}' })).text()).toBe('served');
  });
});
