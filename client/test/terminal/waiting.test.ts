/** Proves how long a command waits for a server and for a person, what Ctrl-C ends, and what a server hears that wants more. */
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { createPatience } from '../../src/terminal/connection/patience.ts';
import { said, startAskingServer } from '../support/asking-server.ts';
import { newPerson } from '../support/client.ts';
import { startIssuer } from '../support/issuer.ts';

const never = new Promise<void>(() => {});
const FORM = { message: 'Name?', requestedSchema: { type: 'object', properties: {} } };

describe('a server that does not answer', () => {
  it.each(['2025-11-25', '2026-07-28'])('--timeout ends a call in %s with 4', async (revision) => {
    await using server = await startAskingServer(revision, async () => undefined);
    using person = newPerson();
    const { status, stderr } = await person.client(`${server.url} call roll --timeout 1`);
    expect([status, stderr]).toEqual([4, 'client: no answer: Request timed out\n']);
  });

  it('MCP, cancellation: a call that is given up is cancelled at the server, and the session is ended', async () => {
    await using server = await startAskingServer('2025-11-25', async () => undefined);
    using person = newPerson();
    await person.client(`${server.url} call roll --timeout 3`);
    expect(server.heard.map(({ method }) => method).slice(-2)).toEqual(['notifications/cancelled', 'DELETE']);
  });

  it('a server that does not answer the end of a session holds nobody up', async () => {
    await using server = await startAskingServer('2025-11-25', async () => said('rolled 4'));
    server.clings = true;
    using person = newPerson();
    expect(await person.client(`${server.url} call roll`)).toEqual({ status: 0, stdout: 'rolled 4\n', stderr: '' });
  });

  it('MCP, progress: the time starts anew with each message, and stands still while a person is asked', async () => {
    vi.useFakeTimers();
    try {
      const patience = createPatience(1_000, never);
      const asked = Promise.withResolvers<void>();
      const request = patience.during(() => never);
      vi.advanceTimersByTime(900);
      patience.heard();
      vi.advanceTimersByTime(900);
      const question = patience.hold(() => asked.promise);
      vi.advanceTimersByTime(1_000_000);
      expect(patience.signal.aborted).toBe(false);
      asked.resolve();
      await question;
      vi.advanceTimersByTime(999);
      expect(patience.signal.aborted).toBe(false);
      vi.advanceTimersByTime(1);
      expect(patience.signal.aborted).toBe(true);
      await expect(request).rejects.toThrow('Request timed out');
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('Ctrl-C', () => {
  it('MCP, cancellation: ends a call with 130, cancels it at the server and ends the session', async () => {
    await using server = await startAskingServer('2025-11-25', async () => undefined);
    using person = newPerson();
    person.interrupted = server.hears('tools/call');
    const { status, stdout, stderr } = await person.client(`${server.url} call roll`);
    expect([status, stdout, stderr]).toEqual([130, '', 'client: interrupted\n']);
    expect(server.heard.map(({ method }) => method).slice(-2)).toEqual(['notifications/cancelled', 'DELETE']);
  });

  it('RFC 9700 §4.14.2 in the middle of a renewal loses no tokens', async () => {
    await using issuer = await startIssuer();
    using person = newPerson();
    await person.client(`${issuer.url} login --device`);
    issuer.valid.clear();
    const interrupt = Promise.withResolvers<void>();
    issuer.beforeRenewal = async () => {
      interrupt.resolve();
      // The client has nothing to tell while it waits.
      await setTimeout(100);
    };
    person.interrupted = interrupt.promise;
    expect(await person.client(`${issuer.url} call roll`)).toMatchObject({ status: 130 });
    person.interrupted = never;
    expect(await person.client(`${issuer.url} call roll`)).toMatchObject({ status: 0 });
    expect([issuer.renewed, issuer.reused]).toEqual([1, false]);
  });

  it.each(['2025-11-25', '2026-07-28'])(
    'in the middle of a question of %s ends the call with 130',
    async (revision) => {
      const question = { method: 'elicitation/create', params: FORM };
      await using server = await startAskingServer(revision, async ({ ask }) => {
        if (revision === '2026-07-28') return { resultType: 'input_required', inputRequests: { name: question } };
        return said(JSON.stringify(await ask(question.method, question.params)));
      });
      using person = newPerson();
      const asked = Promise.withResolvers<void>();
      person.interrupted = asked.promise;
      person.readLine = () => {
        asked.resolve();
        return new Promise(() => {});
      };
      expect(await person.client(`${server.url} call roll`)).toMatchObject({ status: 130, stdout: '' });
    },
  );
});

describe('a server that wants what this client does not have', () => {
  const MESSAGES = { messages: [{ role: 'user', content: { type: 'text', text: 'Think.' } }], maxTokens: 1 };

  it.each([
    ['sampling/createMessage', MESSAGES, 'the server wants a model (sampling)'],
    ['roots/list', {}, 'the server wants the folders of a workspace (roots)'],
  ])(
    'MCP, lifecycle: %s is answered with -32601, and the person is told what is missing',
    async (method, params, what) => {
      await using server = await startAskingServer('2025-11-25', async ({ ask }) =>
        said(JSON.stringify(await ask(method, params))),
      );
      using person = newPerson();
      const { status, stdout, stderr } = await person.client(`${server.url} call roll`);
      expect([status, JSON.parse(stdout).error]).toEqual([
        0,
        { code: -32601, message: `This client does not have ${method}` },
      ]);
      expect(stderr).toBe(
        `client: ${new URL(server.url).host} sends ${method}, which this client does not have: ${what}\n`,
      );
    },
  );

  it.each([
    ['sampling/createMessage', MESSAGES, 'the server wants a model (sampling)'],
    ['roots/list', {}, 'the server wants the folders of a workspace (roots)'],
  ])(
    'MCP, multi round-trip: a call that needs %s ends with 1, and says what is missing',
    async (method, params, what) => {
      await using server = await startAskingServer('2026-07-28', async () => ({
        resultType: 'input_required',
        inputRequests: { one: { method, params } },
      }));
      using person = newPerson();
      const { status, stderr } = await person.client(`${server.url} call roll`);
      expect([status, stderr]).toEqual([1, `client: this client does not have ${method}: ${what}\n`]);
    },
  );

  it('a result that does not fit the schema of MCP is refused in one line', async () => {
    await using server = await startAskingServer('2025-11-25', async () => ({
      content: [{ type: 'text', text: 1 }, { type: 'x' }],
    }));
    using person = newPerson();
    const { status, stderr } = await person.client(`${server.url} call roll`);
    expect([status, stderr.split('\n').length]).toEqual([1, 2]);
  });
});
