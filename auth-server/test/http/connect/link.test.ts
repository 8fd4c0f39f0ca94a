/** Proves what a person sees at a link that connects an account for tools, and what each of their answers does. */
import { describe, expect, it } from 'vitest';
import { Browser } from '../../support/browser.ts';
import { register } from '../../support/client.ts';
import { openPage } from '../../support/page-visitor.ts';
import { comeBackFrom, decide, startWithTools, subjectOf, toolsUpstream } from '../../support/tools-connector.ts';

const textIn = async (page: Response | undefined): Promise<string> => (await page?.text()) ?? '';

describe('the page of a link that connects an account', () => {
  it('the page signs the person in first, and then shows client, upstream, person and scopes in words', async () => {
    await using running = await startWithTools();
    const { server, link } = running;
    const client = await register(server, undefined, { client_name: '<b>Notes</b>' });
    const uri = await link({ clientId: client.id });
    const browser = new Browser(server);
    const { hops, outside } = await browser.follow(uri);
    expect(hops).toEqual(['/sign-in', '/authorize']);
    const state = outside?.searchParams.get('state') ?? '';
    const back = await browser.follow(`/callback/acme?${new URLSearchParams({ state, code: 'alice' })}`);
    expect(back.hops).toEqual([new URL(uri).pathname]);
    const markup = await textIn(back.page);
    expect(markup).toContain('<h1>Connect your account at <bdi>GitHub</bdi>?</h1>');
    expect(markup).toContain('<strong><bdi>&lt;b&gt;Notes&lt;/b&gt;</bdi></strong> uses tools that need it.');
    expect(markup).toContain('<span class="tag">unverified</span>');
    expect(markup).toContain('<dd><strong><bdi>alice@acme.example</bdi></strong></dd>');
    expect(markup).toContain(
      '<li>Read your profile</li><li>Read and change your repositories, also the private ones</li>',
    );
    expect(markup).toContain('If somebody sent you the link, choose Cancel.');
  });

  it.each([
    ['de', 'Ihr Konto bei', 'Ihr Profil lesen'],
    ['fr', 'Relier votre compte chez', 'Lire votre profil'],
  ])('the page speaks the language %s', async (language, heading, scope) => {
    await using running = await startWithTools();
    const browser = new Browser(running.server);
    const uri = await running.link();
    await openPage(browser, uri);
    const markup = await textIn(await browser.visit(uri, { headers: { 'accept-language': language } }));
    expect(markup).toContain(heading);
    expect(markup).toContain(scope);
  });

  it('a scope that is not known is shown by its name, and no scopes at all as what the upstream names itself', async () => {
    await using running = await startWithTools();
    const browser = new Browser(running.server);
    const odd = await textIn(await openPage(browser, await running.link({ scopes: ['admin:<hook>'] })));
    expect(odd).toContain('Use the permission <code>admin:&lt;hook&gt;</code>');
    const none = await textIn(await openPage(browser, await running.link({ scopes: [] })));
    expect(none).toContain('Do what <bdi>GitHub</bdi> names on its own page');
  });

  it('a scope of another provider has no words of GitHub, also under the same name', async () => {
    await using running = await startWithTools({}, toolsUpstream({ type: 'oauth2' }));
    const browser = new Browser(running.server);
    const page = await openPage(browser, await running.link({ scopes: ['repo', 'email'] }));
    const markup = await textIn(page);
    expect(markup).toContain('<li>Use the permission <code>repo</code></li><li>Read your e-mail addresses</li>');
  });

  it('an approval leads through the upstream, and a page that can be reloaded says what is connected', async () => {
    await using running = await startWithTools();
    const { server, upstream, link } = running;
    const browser = new Browser(server);
    const uri = await link();
    const { outside } = await decide(browser, uri, await openPage(browser, uri));
    expect(outside?.host).toBe('github.example');
    expect(upstream.asked).toEqual([['read:user', 'repo']]);
    const { page, hops } = await comeBackFrom(browser, outside, { code: 'octocat' });
    expect(hops).toEqual(['/connect/done/github']);
    const markup = await textIn(page);
    expect(markup).toContain('<h1><bdi>GitHub</bdi> is connected</h1>');
    expect(markup).toContain('Tools can now use the account <strong><bdi>octocat-there</bdi></strong> for you.');
    expect(await textIn(await browser.visit('/connect/done/github'))).toBe(markup);
    const made = server.entries.find(({ event }) => event === 'connection.made');
    expect(made).toMatchObject({
      who: subjectOf('alice'),
      client: 'notes',
      details: { connector: 'github', scopes: ['read:user', 'repo'], account: 'octocat' },
    });
  });

  it('a later link asks for the new scopes together with those of now, and shows both', async () => {
    const upstream = toolsUpstream({ scopes: ['read:user', 'repo', 'gist'] });
    await using running = await startWithTools({}, upstream);
    const browser = new Browser(running.server);
    const first = await running.link({ scopes: ['read:user'] });
    const one = await decide(browser, first, await openPage(browser, first));
    await comeBackFrom(browser, one.outside, { code: 'octocat' });
    const second = await running.link({ scopes: ['gist'] });
    const page = await openPage(browser, second);
    const markup = await textIn(page.clone());
    expect(markup).toContain('<li>Read your profile</li><li>Create and change gists</li>');
    expect(markup).toContain('<dt>Connected now</dt><dd><bdi>octocat-there</bdi></dd>');
    await decide(browser, second, page);
    expect(upstream.asked.at(-1)).toEqual(['read:user', 'gist']);
  });

  it('Cancel uses the link up and connects nothing', async () => {
    await using running = await startWithTools();
    const { server, upstream, link } = running;
    const browser = new Browser(server);
    const uri = await link();
    const { page } = await decide(browser, uri, await openPage(browser, uri), 'cancel');
    expect(await textIn(page)).toContain('<h1>Nothing was connected</h1>');
    expect((await browser.visit(uri)).status).toBe(410);
    expect(upstream.asked).toEqual([]);
    expect(server.entries.find(({ event }) => event === 'connection.refused')?.reason).toBe('cancelled');
  });

  it.each([
    ['refuses', { error: 'access_denied' }, 403, 'GitHub refused, or you cancelled there'],
    ['is down', { code: 'octocat' }, 503, 'because GitHub did not answer as expected'],
  ])('a person whose upstream %s reads it, and nothing is connected', async (what, answer, status, words) => {
    await using running = await startWithTools();
    const { server, upstream, link } = running;
    const browser = new Browser(server);
    const uri = await link();
    const { outside } = await decide(browser, uri, await openPage(browser, uri));
    upstream.isDown = what === 'is down';
    const { page } = await comeBackFrom(browser, outside, answer);
    expect(page?.status).toBe(status);
    const markup = await textIn(page);
    expect(markup).toContain(words);
    expect(markup).toContain('It shows a new link.');
    expect(await textIn(await browser.visit('/connect/done/github'))).toContain('Nothing was connected');
    expect(server.entries.some(({ event }) => event === 'connection.failed')).toBe(true);
    expect(server.entries.some(({ event }) => event === 'sign-in.failed')).toBe(false);
  });

  it('an upstream that is down before the departure leaves the link as it was', async () => {
    await using running = await startWithTools();
    const { server, upstream, link } = running;
    const browser = new Browser(server);
    const uri = await link();
    const page = await openPage(browser, uri);
    upstream.isDown = true;
    expect((await decide(browser, uri, page)).page?.status).toBe(503);
    upstream.isDown = false;
    expect((await decide(browser, uri, page)).outside?.host).toBe('github.example');
  });

  it('an upstream that gives less than was asked for is connected, and the page says so', async () => {
    await using running = await startWithTools();
    const browser = new Browser(running.server);
    const uri = await running.link();
    const { outside } = await decide(browser, uri, await openPage(browser, uri));
    const markup = await textIn((await comeBackFrom(browser, outside, { code: 'part' })).page);
    expect(markup).toContain('did not allow everything that was asked for');
    expect(markup).not.toContain('repositories');
  });
});
