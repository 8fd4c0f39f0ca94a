/** Proves how a server sends a person to a page: what is shown, that nothing is opened without a yes, and what the server hears. */
import { describe, expect, it } from 'vitest';
import { type AskingServer, said, startAskingServer, type Tool } from '../../support/asking-server.ts';
import { newPerson, type Person } from '../../support/client.ts';

const PAGE = 'https://bank.example/connect?state=1';
const LINK = { mode: 'url', message: 'Connect your bank.', url: PAGE };
const DONE = 'notifications/elicitation/complete';

interface Opened {
  readonly person: Person & Disposable;
  readonly opened: string[];
  call(server: AskingServer, words?: string, input?: readonly string[]): ReturnType<Person['client']>;
}

function atTheTerminal(isPresent = true): Opened {
  const person = newPerson();
  person.isPresent = isPresent;
  const opened: string[] = [];
  const call: Opened['call'] = ({ url }, words = '', input = []) =>
    person.client(`${url} call roll ${words}`.trim(), input, (page) => opened.push(page.href));
  return { person, opened, call };
}

/** A tool of 2025-11-25 that answers with what the client has answered. */
const asking =
  (link: Readonly<Record<string, unknown>>): Tool =>
  async ({ ask }) =>
    said(JSON.stringify(await ask('elicitation/create', { elicitationId: 'one', ...LINK, ...link })));

const required = (...links: readonly object[]) => ({
  error: {
    code: -32042,
    message: 'Connect first',
    data: { elicitations: links.map((link, n) => ({ elicitationId: `id-${n}`, ...LINK, ...link })) },
  },
});

describe('MCP 2025-11-25 client/elicitation: a page that a server asks to open', () => {
  it('MCP, elicitation: forms and pages are announced in both eras', async () => {
    for (const revision of ['2025-11-25', '2026-07-28']) {
      await using server = await startAskingServer(revision, async () => said('rolled 4'));
      const { person, call } = atTheTerminal();
      using _person = person;
      expect(await call(server)).toMatchObject({ status: 0 });
      expect(JSON.stringify(server.heard)).toContain('"elicitation":{"form":{},"url":{}}');
    }
  });

  it('MCP, elicitation: shows the message, the host and the whole URL, and opens it after a yes', async () => {
    await using server = await startAskingServer('2025-11-25', asking({}));
    const { person, opened, call } = atTheTerminal();
    using _person = person;
    const { status, stdout, stderr } = await call(server, '', ['y']);
    expect([status, stdout, opened]).toEqual([0, '{"result":{"action":"accept"}}\n', [PAGE]]);
    const host = new URL(server.url).host;
    expect(stderr).toBe(
      `\n${host} asks you to open a page:\n  > Connect your bank.\n  Host: bank.example\n  URL:  ${PAGE}\nOpen it in the browser? [y/N] If no browser opens, open the URL yourself.\n`,
    );
  });

  it.each([
    ['', 'decline'],
    ['n', 'decline'],
    ['yes please', 'decline'],
    [undefined, 'cancel'],
  ])('MCP, elicitation: %j opens nothing, and the server hears %s', async (line, action) => {
    await using server = await startAskingServer('2025-11-25', asking({}));
    const { person, opened, call } = atTheTerminal();
    using _person = person;
    const { status, stdout } = await call(server, '', line === undefined ? [] : [line]);
    expect([status, stdout, opened]).toEqual([0, `{"result":{"action":"${action}"}}\n`, []]);
  });

  it.each([
    ['http://bank.example/', 'its URL must use https'],
    ['javascript:alert(1)', 'it is not an http or https URL'],
    ['file:///etc/passwd', 'it is not an http or https URL'],
    ['https://bank.example@evil.example/', 'its URL has a user name or password'],
    [`https://bank.example/?${'a'.repeat(8_000)}`, 'its URL has more than 8000 characters'],
  ])('MCP, elicitation: %j is refused with an error for the server and a line for the person', async (url, why) => {
    await using server = await startAskingServer('2025-11-25', asking({ url }));
    const { person, opened, call } = atTheTerminal();
    using _person = person;
    const { stdout, stderr } = await call(server, '', ['y']);
    expect([JSON.parse(stdout).error.code, opened]).toEqual([-32602, []]);
    expect(stderr).toContain(`is not opened: ${why}\n`);
  });

  it('CWE-150 a message can hide neither the host nor the URL, and letters beyond ASCII in a host are pointed out', async () => {
    const message = 'Fine.\n  Host: bank.example\u001b[2J\u202e\rHost: bank.example';
    const url = 'https://bаnk.example/\u202epath?q=\u001b[2J';
    await using server = await startAskingServer('2025-11-25', asking({ message, url }));
    const { person, opened, call } = atTheTerminal();
    using _person = person;
    const { stderr } = await call(server, '', ['y']);
    const shown = 'https://xn--bnk-6cd.example/%E2%80%AEpath?q=%1B[2J';
    expect(stderr).toContain('\n  > Fine.\n  >   Host: bank.example\\u001b[2J\\u202e\n  > Host: bank.example\n');
    expect(stderr).toContain(`\n  Host: xn--bnk-6cd.example\n  URL:  ${shown}\n`);
    expect(stderr).toContain(
      '\n  Careful: this host has letters beyond ASCII, and may only look like another: bаnk.example\n',
    );
    expect(opened).toEqual([shown]);
  });

  it('RFC 8252 §8.3 plain http is opened on this machine only', async () => {
    await using server = await startAskingServer('2025-11-25', asking({ url: 'http://localhost:1234/' }));
    const { person, opened, call } = atTheTerminal();
    using _person = person;
    expect(await call(server, '', ['y'])).toMatchObject({ status: 0 });
    expect(opened).toEqual(['http://localhost:1234/']);
  });

  it('a server that asks two questions at once gets two conversations, one after the other', async () => {
    const both: Tool = async ({ ask }) => {
      const form = { message: 'Name?', requestedSchema: { type: 'object', properties: { name: { type: 'string' } } } };
      const answers = [ask('elicitation/create', { ...LINK, elicitationId: 'one' }), ask('elicitation/create', form)];
      return said(JSON.stringify(await Promise.all(answers)));
    };
    await using server = await startAskingServer('2025-11-25', both);
    const { person, call } = atTheTerminal();
    using _person = person;
    const { stdout } = await call(server, '', ['y', 'y', 'Alice']);
    expect(JSON.parse(stdout)).toEqual([
      { result: { action: 'accept' } },
      { result: { action: 'accept', content: { name: 'Alice' } } },
    ]);
  });

  it('MCP, elicitation: the server says that a page is done, and an id that nobody waits for is ignored', async () => {
    await using server = await startAskingServer('2025-11-25', async ({ ask, notify }) => {
      await server.hears('GET');
      notify(DONE, { elicitationId: 'foreign' });
      await ask('elicitation/create', { ...LINK, elicitationId: 'one' });
      notify(DONE, { elicitationId: 'one' });
      await ask('ping', {});
      return said('rolled 4');
    });
    const { person, call } = atTheTerminal();
    using _person = person;
    const { stdout, stderr } = await call(server, '', ['y']);
    expect([stdout, stderr.split('says that bank.example is done.').length]).toEqual(['rolled 4\n', 2]);
  });
});

describe('MCP 2025-11-25 client/elicitation: URLElicitationRequiredError', () => {
  const once =
    (...links: readonly object[]): Tool =>
    async ({ round }) =>
      round === 1 ? required(...links) : said('rolled 4');

  it('-32042 the call is sent again when the person says that it is done', async () => {
    await using server = await startAskingServer('2025-11-25', once({}, { url: 'https://other.example/' }));
    const { person, opened, call } = atTheTerminal();
    using _person = person;
    const { status, stdout, stderr } = await call(server, '', ['y', 'y', '']);
    expect([status, stdout, opened]).toEqual([0, 'rolled 4\n', [PAGE, 'https://other.example/']]);
    expect(stderr).toContain('[Enter: it is done, y: open it again, n: give up] ');
  });

  it('-32042 the call is sent again by itself when the server says that all pages are done', async () => {
    await using server = await startAskingServer('2025-11-25', async (asked) => {
      if (asked.round > 1) return said('rolled 4');
      void server
        .hears('GET')
        .then(() => consented.promise)
        .then(() => {
          asked.notify(DONE, { elicitationId: 'id-1' });
          asked.notify(DONE, { elicitationId: 'id-0' });
        });
      return required({}, { url: 'https://other.example/' });
    });
    const consented = Promise.withResolvers<void>();
    const { person, call } = atTheTerminal();
    using _person = person;
    person.readLine = () => {
      consented.resolve();
      return new Promise(() => {});
    };
    const { status, stdout, stderr } = await call(server, '', ['y', 'y']);
    expect([status, stdout]).toEqual([0, 'rolled 4\n']);
    expect(stderr).toContain('says that it is done.\n');
  });

  it('-32042 the line that the person types after the server has said so answers the next question', async () => {
    const consented = Promise.withResolvers<void>();
    const line = Promise.withResolvers<string | undefined>();
    const form = { message: 'Name?', requestedSchema: { type: 'object', properties: {} } };
    await using server = await startAskingServer('2025-11-25', async ({ round, ask, notify }) => {
      if (round > 1) {
        const answer = ask('elicitation/create', form);
        await ask('ping', {});
        line.resolve('y');
        return said(JSON.stringify(await answer));
      }
      void Promise.all([server.hears('GET'), consented.promise]).then(() => notify(DONE, { elicitationId: 'id-0' }));
      return required({});
    });
    const { person, opened, call } = atTheTerminal();
    using _person = person;
    let reads = 0;
    person.readLine = () => {
      consented.resolve();
      reads += 1;
      return line.promise;
    };
    const { stdout } = await call(server, '', ['y']);
    expect([stdout, opened, reads]).toEqual(['{"result":{"action":"accept","content":{}}}\n', [PAGE], 1]);
  });

  it.each([
    [['n'], 'the page that the server needs was not opened'],
    [['y', 'n'], 'given up before the page was done'],
    [['y'], 'given up before the page was done'],
  ])('-32042 with the answers %j the call is not sent again, and the status is 1', async (input, why) => {
    await using server = await startAskingServer('2025-11-25', once({}));
    const { person, call } = atTheTerminal();
    using _person = person;
    const { status, stdout, stderr } = await call(server, '', input);
    expect([status, stdout, stderr]).toEqual([1, '', expect.stringMatching(new RegExp(`client: ${why}\n$`))]);
    expect(server.heard.filter(({ method }) => method === 'tools/call')).toHaveLength(1);
  });

  it('-32042 that never ends is given up after ten more calls, and one page is explained once', async () => {
    await using server = await startAskingServer('2025-11-25', async () => required({}));
    const { person, opened, call } = atTheTerminal();
    using _person = person;
    const { status, stderr } = await call(server, '', ['y', ...Array.from({ length: 20 }, () => '')]);
    expect([status, opened, stderr.split('Open it in').length]).toEqual([1, [PAGE], 2]);
    expect(server.heard.filter(({ method }) => method === 'tools/call')).toHaveLength(11);
  });

  it.each([{}, { elicitations: 'x' }, { elicitations: [] }, { elicitations: [{ url: 1 }] }])(
    '-32042 with %j is an error like any other',
    async (data) => {
      await using server = await startAskingServer('2025-11-25', async () => ({
        error: { code: -32042, message: 'Connect first', data },
      }));
      const { person, call } = atTheTerminal();
      using _person = person;
      expect(await call(server)).toMatchObject({ status: 1, stderr: 'client: Connect first\n' });
    },
  );
});

describe('MCP 2026-07-28 client/elicitation: a page in a round of questions', () => {
  const round = (link: object = LINK) => ({
    resultType: 'input_required',
    inputRequests: { bank: { method: 'elicitation/create', params: link } },
    requestState: 'state',
  });

  it('MCP, multi round-trip: the person says when it is done, and the server may ask again until it is', async () => {
    await using server = await startAskingServer('2026-07-28', async (call) =>
      call.round < 3 ? round() : said(JSON.stringify(call.responses)),
    );
    const { person, opened, call } = atTheTerminal();
    using _person = person;
    const { status, stdout, stderr } = await call(server, '', ['y', '', 'y', '']);
    expect([status, stdout]).toEqual([0, '{"bank":{"action":"accept"}}\n']);
    // The page is explained once; the second time the person has opened it again.
    expect([opened, stderr.split('Open it in the browser?').length]).toEqual([[PAGE, PAGE], 2]);
    expect(stderr).toContain(`still waits for ${PAGE}\n`);
  });

  it('MCP, multi round-trip: a page that must not be opened ends the call with 1 and the reason', async () => {
    await using server = await startAskingServer('2026-07-28', async () =>
      round({ ...LINK, url: 'http://bank.example/' }),
    );
    const { person, opened, call } = atTheTerminal();
    using _person = person;
    const { status, stderr } = await call(server, '', ['y']);
    expect([status, opened, stderr]).toEqual([
      1,
      [],
      expect.stringMatching(/^client: .* is not opened: its URL must use https\n$/),
    ]);
  });
});

describe('a question where nobody can be asked', () => {
  const form = { mode: 'form', message: 'Name?', requestedSchema: { type: 'object', properties: {} } };

  it.each([
    ['a page without a terminal', LINK, '', false, `asks to open ${PAGE}`],
    ['a page with --json', LINK, '--json', true, `asks to open ${PAGE}`],
    ['a form with --json', form, '--json', true, 'asks: Name?'],
  ])('%s is declined with a line, and the status is 5', async (_, params, words, isPresent, line) => {
    await using server = await startAskingServer('2025-11-25', asking(params));
    const { person, opened, call } = atTheTerminal(isPresent);
    using _person = person;
    const { status, stdout, stderr } = await call(server, words, ['y', 'y']);
    expect([status, opened]).toEqual([5, []]);
    expect(stdout).toContain('decline');
    expect(stderr).toContain(`${line}\nclient: nobody can be asked here, so the answer is no\n`);
  });

  it('a form whose answers end before their time is cancelled, and the status is 5', async () => {
    await using server = await startAskingServer('2025-11-25', asking(form));
    const { person, call } = atTheTerminal(false);
    using _person = person;
    expect(await call(server)).toMatchObject({ status: 5, stdout: '{"result":{"action":"cancel"}}\n' });
  });

  it('-32042 ends with 5 and the URLs for a script', async () => {
    await using server = await startAskingServer('2025-11-25', async () => required({}));
    const { person, call } = atTheTerminal();
    using _person = person;
    const { status, stdout } = await call(server, '--json');
    expect([status, JSON.parse(stdout)]).toEqual([
      5,
      { error: 'person-needed', message: expect.stringContaining(`needs a person to open ${PAGE}`), pages: [PAGE] },
    ]);
  });

  it('a server that answers a declined question with an error ends with 5 as well', async () => {
    await using server = await startAskingServer('2025-11-25', async ({ ask }) => {
      await ask('elicitation/create', { ...LINK, elicitationId: 'one' });
      return { error: { code: -32603, message: 'no consent' } };
    });
    const { person, call } = atTheTerminal(false);
    using _person = person;
    expect(await call(server)).toMatchObject({
      status: 5,
      stdout: '',
      stderr: expect.stringMatching(/client: no consent\n$/),
    });
  });
});
