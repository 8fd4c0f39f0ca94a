/**
 * Proves that an operator can provide copies of client documents to a server without access to them, from the command
 * to the sign-in page.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { startProxy } from '@mcp-oauth/shared/testing/proxy';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { beforeEach, describe, expect, it } from 'vitest';
import { clientDocumentsCommands } from '../../src/cli/client-documents.ts';
import { Browser } from '../support/browser.ts';
import { authorizePath, refresh, tokensFor, WEB } from '../support/client.ts';
import { ClientHost, trustTestCertificate } from '../support/client-host.ts';
import { startServer } from '../support/running-server.ts';

trustTestCertificate();
let host: ClientHost;
let folder: string;
const clock = new FakeClock(Date.now());
beforeEach(async (context) => {
  host = await ClientHost.start();
  folder = mkdtempSync(join(tmpdir(), 'copies-'));
  context.onTestFinished(async () => {
    await host[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
});

const env = () => ({ CLIENT_METADATA_PRIVATE_HOSTS: host.name, CLIENT_METADATA_COPIES: folder });
const documents = (line: string, more = {}) => run(clientDocumentsCommands(clock), line, { ...env(), ...more });

describe('client-documents fetch', () => {
  it('client-documents fetch writes a copy with its client id and time, and list shows it', async () => {
    const id = host.publish();
    const { status, stdout, stderr } = await documents(`fetch ${id}`);
    expect([status, stderr]).toEqual([0, '']);
    const [file = ''] = readdirSync(folder);
    expect(stdout).toBe(`${id}: ${join(folder, file)}\n`);
    expect(JSON.parse(readFileSync(join(folder, file), 'utf8'))).toMatchObject({
      client_id: id,
      fetched_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      document: { client_id: id, client_name: 'Published app' },
    });
    expect(host.seen.at(-1)?.headers).toMatchObject({ 'accept-encoding': 'identity', accept: 'application/json' });
    expect((await documents('list')).stdout).toMatch(
      /CLIENT +FETCHED +ENDS +FILE\nhttps:\/\/localhost:\d+\/client\.json/,
    );
    expect(JSON.parse((await documents('list --json')).stdout)).toMatchObject([{ client: id, file }]);
  });

  it('client-documents fetch takes several URLs, reports the invalid documents and writes no copy of them', async () => {
    const id = host.publish();
    host.publish({ client_secret: 'hunter2' }, {}, '/secret.json');
    host.publish({ redirect_uris: ['javascript:alert(1)'] }, {}, '/script.json');
    host.publish({}, { status: 302, headers: { location: '/client.json' } }, '/moved.json');
    const bad = ['/secret.json', '/script.json', '/moved.json', '/gone.json'].map((path) => host.url(path));
    const { status, stdout, stderr } = await documents(`fetch ${bad.join(' ')} ${id} https://127.0.0.1/c`);
    expect(status).toBe(1);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(stderr.trim().split('\n')).toHaveLength(5);
    expect(stderr).not.toContain('hunter2');
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it("client-documents fetch goes through the operator's proxy", async () => {
    await using proxy = await startProxy();
    expect((await documents(`fetch ${host.publish()}`, { HTTPS_PROXY: proxy.url })).status).toBe(0);
    expect(proxy.asked).toEqual([host.name]);
  });

  it('client-documents fetch refuses to run without a folder', async () => {
    const { status, stderr } = await documents(`fetch ${host.publish()}`, { CLIENT_METADATA_COPIES: '' });
    expect([status, stderr]).toEqual([2, expect.stringContaining('--folder, or CLIENT_METADATA_COPIES')]);
    const other = join(folder, 'new', 'folder');
    const named = await documents(`fetch --folder ${other} ${host.publish()}`, { CLIENT_METADATA_COPIES: '' });
    expect([named.status, readdirSync(other).length]).toEqual([0, 1]);
    expect((await documents('list --folder /nowhere')).stderr).toContain("/nowhere can't be read (ENOENT)");
  });
});

describe('a server with copies', () => {
  it('a client whose host is unreachable is accepted by its copy, the page says so, and the host is preferred again', async () => {
    const id = host.publish();
    const client = { id, redirectUri: WEB };
    await documents(`fetch ${id}`);
    host.publish({}, { status: 403 });
    await using server = await startServer({ env: env(), clock });
    const page = async () => (await new Browser(server).follow(authorizePath(client))).page?.text();
    expect(await page()).toMatch(
      /can’t read the app’s document at <bdi>localhost:\d+<\/bdi> at the moment.*copy that the operator of this server fetched on [A-Z][a-z]+ \d{1,2}, \d{4}\./,
    );
    const tokens = await tokensFor(server, client);
    expect((await refresh(server, client, tokens.refresh_token)).status).toBe(200);

    host.publish({ client_name: 'From its host' });
    clock.advance(31);
    const read = await page();
    expect(read).toContain('From its host');
    expect(read).not.toContain('copy that the operator');
    expect(server.log.some(({ msg }) => msg === "operator's copy of a client document used")).toBe(true);
  });

  it('a server refuses to start when the folder of copies is missing', async () => {
    await expect(startServer({ env: { CLIENT_METADATA_COPIES: '/nowhere' } })).rejects.toThrow(
      "CLIENT_METADATA_COPIES: the folder /nowhere can't be read (ENOENT)",
    );
  });
});
