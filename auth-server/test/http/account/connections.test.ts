/** Proves what a person sees of the accounts that tools use for them, and that they disconnect their own account alone. */
import { describe, expect, it } from 'vitest';
import { Browser } from '../../support/browser.ts';
import { register } from '../../support/client.ts';
import { openPage, tokenIn } from '../../support/page-visitor.ts';
import { startServer } from '../../support/running-server.ts';
import { comeBackFrom, decide, startWithTools, subjectOf, type ToolsServer } from '../../support/tools-connector.ts';

async function connect(
  running: ToolsServer,
  person: string,
  code = `octo-${person}`,
  clientId = 'notes',
): Promise<Browser> {
  const browser = new Browser(running.server);
  const uri = await running.link({ accountId: subjectOf(person), clientId });
  const { outside } = await decide(browser, uri, await openPage(browser, uri, person));
  await comeBackFrom(browser, outside, { code });
  return browser;
}

const textIn = async (browser: Browser): Promise<string> => (await browser.visit('/account')).text();

const disconnect = async (browser: Browser, connector = 'github'): Promise<Response> => {
  const body = new URLSearchParams({ token: tokenIn(await textIn(browser)), connector });
  return browser.visit('/account/disconnect', { method: 'POST', body });
};

describe('the connected accounts on the account page', () => {
  it('there is no such section where no upstream is for tools', async () => {
    await using server = await startServer();
    expect(await (await openPage(new Browser(server))).text()).not.toContain('Connected accounts');
  });

  it('the section says that nothing is connected', async () => {
    await using running = await startWithTools();
    expect(await (await openPage(new Browser(running.server))).text()).toContain('No account is connected.');
  });

  it('the section names the upstream, the account there, what tools may do in words, and since when', async () => {
    await using running = await startWithTools();
    const { id } = await register(running.server, undefined, { client_name: '<b>Notes</b>' });
    const markup = await textIn(await connect(running, 'alice', '<b>octo</b>', id));
    expect(markup).toContain('<h3><bdi>GitHub</bdi></h3>');
    expect(markup).toContain('<dt>Account</dt><dd><bdi>&lt;b&gt;octo&lt;/b&gt;-there</bdi></dd>');
    expect(markup).toContain('<li>Read your profile</li>');
    expect(markup).toContain('<dt>Connected for</dt><dd><bdi>&lt;b&gt;Notes&lt;/b&gt;</bdi></dd>');
    expect(markup).toMatch(/<dt>Since<\/dt><dd><time datetime="[^"]+">[^<]+ UTC</);
    expect(markup).not.toContain('token-of-');
  });

  it('Disconnect deletes the tokens, ends them at the upstream, and leaves those of other people', async () => {
    await using running = await startWithTools();
    const [alice, bob] = [await connect(running, 'alice'), await connect(running, 'bob')];
    const response = await disconnect(alice);
    expect([response.status, response.headers.get('location')]).toEqual([303, '/account']);
    expect(await textIn(alice)).toContain('No account is connected.');
    expect(await textIn(bob)).toContain('octo-bob-there');
    expect(running.upstream.revoked).toEqual(['token-of-octo-alice']);
    const ended = running.server.entries.filter(({ event }) => event === 'connection.ended');
    expect(ended).toMatchObject([{ who: subjectOf('alice'), details: { connector: 'github' } }]);
  });

  it('an upstream that does not answer is no reason to keep the tokens', async () => {
    await using running = await startWithTools();
    const alice = await connect(running, 'alice');
    running.upstream.isDown = true;
    expect((await disconnect(alice)).status).toBe(303);
    expect(await textIn(alice)).toContain('No account is connected.');
  });

  it('an unknown connector, and one that is not connected, change nothing and say nothing', async () => {
    await using running = await startWithTools();
    const alice = await connect(running, 'alice');
    for (const connector of ['', 'gone', 'constructor']) expect((await disconnect(alice, connector)).status).toBe(303);
    expect(await textIn(alice)).toContain('octo-alice-there');
    const bob = new Browser(running.server);
    await openPage(bob, '/account', 'bob');
    expect((await disconnect(bob)).status).toBe(303);
    expect(running.server.entries.some(({ event }) => event === 'connection.ended')).toBe(false);
  });

  it('RFC 9700 §4.7 the form is refused from another site, and without the token of the session', async () => {
    await using running = await startWithTools();
    const alice = await connect(running, 'alice');
    const token = tokenIn(await textIn(alice));
    const send = (value: string, headers: Readonly<Record<string, string>> = {}) => {
      const body = new URLSearchParams({ token: value, connector: 'github' });
      return alice.visit('/account/disconnect', { method: 'POST', body, headers });
    };
    expect((await send(token, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await send('x')).status).toBe(403);
    expect((await alice.visit('/account/disconnect')).status).toBe(405);
    expect(await textIn(alice)).toContain('octo-alice-there');
  });

  it.each([
    ['de', 'Verbundene Konten', 'GitHub</bdi> trennen'],
    ['fr', 'Comptes reliés', 'Dissocier <bdi>GitHub'],
  ])('the section speaks the language %s', async (language, heading, button) => {
    await using running = await startWithTools();
    const alice = await connect(running, 'alice');
    const markup = await (await alice.visit('/account', { headers: { 'accept-language': language } })).text();
    expect(markup).toContain(heading);
    expect(markup).toContain(button);
  });
});
