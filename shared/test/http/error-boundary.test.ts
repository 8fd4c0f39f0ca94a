import { HttpError } from '@mcp-oauth/shared/errors';
import { errorBoundary } from '@mcp-oauth/shared/http/error-boundary';
import { type RequestState, requestLog } from '@mcp-oauth/shared/http/request-log';
import { createLogger } from '@mcp-oauth/shared/logger';
import { serve } from '@mcp-oauth/shared/testing/listen';
import Koa, { type Middleware } from 'koa';
import { describe, expect, it } from 'vitest';

async function answerOf(handler: Middleware<RequestState>, init: RequestInit = {}) {
  const lines: string[] = [];
  const app = new Koa<RequestState>();
  app.use(requestLog(createLogger('sample', 'info', { write: (line) => lines.push(line) })));
  app.use(errorBoundary({ page: (_, error) => `<h1>${error.message}</h1>` }));
  app.use(handler);
  await using server = await serve(app.callback());
  const answer = await fetch(`${server.url}/path?code=canary`, init);
  const body = await answer.text();
  return { answer, body, log: lines.map((line) => JSON.parse(line)), text: lines.join('') };
}

describe('failed requests', () => {
  it('a failed request gets the standard error, and the log gets the reason that the answer leaves out', async () => {
    const { answer, body, log } = await answerOf(() => {
      throw new HttpError(400, 'invalid_request', 'Not like this.', {
        reason: 'canary_reason',
        headers: { Allow: 'GET' },
      });
    });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('allow')).toBe('GET');
    expect(JSON.parse(body)).toEqual({ error: 'invalid_request', error_description: 'Not like this.' });
    expect(log).toContainEqual(expect.objectContaining({ msg: 'request refused', reason: 'canary_reason' }));
  });

  it('an unexpected failure shows neither its stack nor its message to the client', async () => {
    const { answer, body, log } = await answerOf(() => {
      throw new Error('secret detail');
    });
    expect(answer.status).toBe(500);
    expect(body).not.toMatch(/secret detail|at .*\.ts/);
    expect(log[0]).toMatchObject({ level: 'error', err: { message: 'secret detail' } });
  });

  it('CWE-779 an expected outage is one short line with its reasons, because strangers can cause one for each request', async () => {
    const cause = new Error('no answer', { cause: new Error(`connect ECONNREFUSED ${'x'.repeat(10_000)}`) });
    const { answer, log } = await answerOf(() => {
      throw new HttpError(503, 'temporarily_unavailable', 'Later.', { reason: 'keys_unavailable', cause });
    });
    expect(answer.status).toBe(503);
    expect(log[0]).toMatchObject({
      level: 'error',
      reason: 'keys_unavailable',
      cause: expect.stringContaining('no answer: connect ECONNREFUSED'),
    });
    expect(log[0]).not.toHaveProperty('err');
    expect(JSON.stringify(log[0]).length).toBeLessThan(1_000);
  });

  it('an unknown path is answered with JSON, and with a page for a browser', async () => {
    const { answer } = await answerOf((_, next) => next());
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/json; charset=utf-8']);
    const page = await answerOf((_, next) => next(), { headers: { accept: 'text/html' } });
    expect([page.answer.status, page.answer.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
  });

  it('the log has the path of a request and never its query', async () => {
    const { text, log, answer } = await answerOf((ctx) => {
      ctx.body = {};
    });
    expect(log.at(-1)).toMatchObject({ msg: 'request', method: 'GET', path: '/path', status: 200 });
    expect(text).not.toContain('canary');
    expect(answer.headers.get('x-request-id')).toBe(log.at(-1).request);
  });
});
