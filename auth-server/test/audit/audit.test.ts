/** Proves what the audit of auth-server says of sign-ins, tokens and clients, and that a flow is found by any of its references. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { afterAll, describe, expect, it } from 'vitest';
import { createCommands } from '../../src/cli/commands.ts';
import { discoverKinds } from '../../src/federation/registry.ts';
import { Browser } from '../support/browser.ts';
import { authorize, authorizePath, redeem, refresh, register, VERIFIER } from '../support/client.ts';
import { form, json, type RunningServer, read, startServer } from '../support/running-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'audit-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

function settings() {
  files += 1;
  const file = join(folder, `audit-${files}.jsonl`);
  const key = randomBytes(32).toString('base64');
  return {
    file,
    env: { AUDIT: 'file', AUDIT_FILE: file, AUDIT_KEY: key, NODE_ENV: 'test', CONNECTORS: 'development' },
  };
}

const commands = createCommands(async () => {}, await discoverKinds(new URL('../../src/connectors/', import.meta.url)));

const steps = (text: string): readonly string[] => JSON.parse(text).map(({ step }: { readonly step: string }) => step);
const of = (server: RunningServer, event: string) => server.entries.filter((entry) => entry.event === event);

describe('the audit of auth-server', () => {
  it('a sign-in has an entry for each step, all of one flow, and its tokens name the same grant', async () => {
    await using server = await startServer();
    const client = await register(server);
    const { code } = await authorize(server, client);
    const tokens = await read(await redeem(server, client, code));
    await refresh(server, client, tokens.refresh_token);
    const events = server.entries.map(({ event }) => event);
    expect(events).toEqual([
      'client.registered',
      'authorization.requested',
      'sign-in.started',
      'sign-in.succeeded',
      'consent.approved',
      'authorization.granted',
      'token.issued',
      'token.refreshed',
    ]);
    const [, ...rest] = server.entries;
    expect(new Set(rest.slice(0, 5).map(({ flow }) => flow)).size).toBe(1);
    expect(rest[0]?.flow).toMatch(/^[\w-]{22}$/);
    expect(new Set(rest.slice(4).map(({ grant }) => grant)).size).toBe(1);
    expect(rest[4]?.grant).toMatch(/^[\w-]{43}$/);
    for (const entry of rest) expect(entry).toMatchObject({ from: expect.any(String), reference: expect.any(String) });
    for (const entry of rest.slice(2)) expect(entry.who).toBe(rest[2]?.who);
    expect(rest[2]?.details).toMatchObject({ connector: 'acme', email: 'alice@acme.example' });
    for (const entry of rest.filter(({ event }) => event !== 'sign-in.succeeded')) expect(entry.client).toBe(client.id);
  });

  it('denials, refusals and error pages have an entry with the reference that the person sees', async () => {
    await using server = await startServer();
    const client = await register(server);
    const browser = new Browser(server);
    const { page } = await browser.follow(authorizePath(client));
    await browser.submit(page, 'deny');
    expect(of(server, 'consent.denied')).toHaveLength(1);
    expect(of(server, 'authorization.refused')).toEqual([
      expect.objectContaining({ outcome: 'refused', client: client.id, flow: of(server, 'consent.denied')[0]?.flow }),
    ]);
    for (const path of ['/authorize?client_id=nobody', '/interaction/none', '/callback/acme?state=x&code=y']) {
      const answer = await new Browser(server).visit(path);
      const [, reference] = /<code>([0-9a-f-]{36})<\/code>/.exec(await answer.text()) ?? [];
      expect(reference).toBeDefined();
      expect(server.entries.map((entry) => entry.reference)).toContain(reference);
    }
    await server.fetch(
      '/token',
      form({
        grant_type: 'authorization_code',
        client_id: client.id,
        code: 'x',
        redirect_uri: client.redirectUri,
        code_verifier: VERIFIER,
      }),
    );
    expect(of(server, 'token.refused')).toEqual([
      expect.objectContaining({ client: client.id, reason: expect.any(String) }),
    ]);
    await server.fetch('/register', json({ redirect_uris: ['ftp://x'] }));
    expect(of(server, 'client.refused')).toHaveLength(1);
  });

  it('RFC 9700 §4.14.2 each log line that names a security event has its entry with the same reference', async () => {
    await using server = await startServer();
    const client = await register(server);
    const { code } = await authorize(server, client);
    const tokens = await read(await redeem(server, client, code));
    await redeem(server, client, code);
    await refresh(server, client, tokens.refresh_token);
    const lines = server.log.filter(({ msg }) => msg === 'security');
    expect(lines.map(({ threat }) => threat)).toEqual(['authorization code reused']);
    for (const { request, client: of } of lines) {
      expect(server.entries).toContainEqual(
        expect.objectContaining({ event: 'token.reused', outcome: 'refused', reference: request, client: of }),
      );
    }
    expect(of(server, 'access.ended')).toEqual([
      expect.objectContaining({ grant: of(server, 'token.issued')[0]?.grant }),
    ]);
  });

  it('no token, code, secret, state or cookie of a whole flow is in the audit', async () => {
    const { file, env } = settings();
    const secrets: string[] = [];
    {
      await using server = await startServer({ env });
      const client = await register(server);
      const browser = new Browser(server);
      const { code } = await authorize(server, client, { state: 'canary-state' }, { browser });
      const tokens = await read(await redeem(server, client, code));
      await redeem(server, client, code);
      secrets.push(code, VERIFIER, 'canary-state', ...browser.cookies.map(({ value }) => value));
      secrets.push(...Object.entries(tokens).flatMap(([name, value]) => (/_token$/.test(name) ? [String(value)] : [])));
    }
    const text = readFileSync(file, 'utf8');
    expect(text.split('\n').length).toBeGreaterThan(8);
    for (const secret of secrets.filter(({ length }) => length > 8)) expect(text).not.toContain(secret);
  });
});

describe('flows show', () => {
  it('the steps of a sign-in are found by the reference of an error page, of any other step, and of the code exchange', async () => {
    const { env } = settings();
    const references: (string | null)[] = [];
    {
      await using server = await startServer({ env });
      const client = await register(server);
      const browser = new Browser(server);
      const { page } = await browser.follow(authorizePath(client));
      references.push(page?.headers.get('x-request-id') ?? null);
      // An answer that comes back at another connector's place: an error page within the flow.
      const { outside } = await browser.submit(page, 'approve', { connector: 'acme' });
      const state = outside?.searchParams.get('state') ?? '';
      const wrong = await new Browser(server).visit(`/callback/acme?${new URLSearchParams({ state, code: 'eve' })}`);
      const [, shown = ''] = /<code>([0-9a-f-]{36})<\/code>/.exec(await wrong.text()) ?? [];
      references.unshift(shown);
      const end = await browser.follow(`/callback/acme?${new URLSearchParams({ state, code: 'alice' })}`);
      const exchange = await redeem(server, client, end.outside?.searchParams.get('code') ?? '');
      references.push(exchange.headers.get('x-request-id'));
      // Another flow, which must not be shown.
      await authorize(server, client, {}, { person: 'bob' });
    }
    const [ofPage, , ofExchange] = references;
    const expected = [
      'authorization.requested',
      'sign-in.started',
      'page.refused',
      'sign-in.succeeded',
      'consent.approved',
      'authorization.granted',
      'token.issued',
    ];
    for (const reference of [ofPage, ofExchange]) {
      const { status, stdout, stderr } = await run(commands, `flows show ${reference} --json`, env);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(steps(stdout)).toEqual(expected);
    }
    const table = await run(commands, `flows show ${ofPage}`, env);
    expect(table.stdout).toMatch(/^AT +AFTER +STEP +OUTCOME +REASON/);
    expect(table.stdout).toMatch(/page\.refused +refused +the cookie of this sign-in is missing/);
    expect(await run(commands, 'flows show nothing', env)).toMatchObject({ status: 1 });
    const people = await run(commands, 'audit show --person ALICE@acme.example --json', env);
    const shown = people.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).event);
    expect(shown).toEqual(['sign-in.succeeded', 'consent.approved', 'authorization.granted', 'token.issued']);
    expect((await run(commands, 'audit verify', env)).status).toBe(0);
  });

  it('audit show --person finds what an operator ended, --since leaves out what is older, and export has every line', async () => {
    const { env, file } = settings();
    const own = { ...env, DATA_DIR: mkdtempSync(join(folder, 'data-')) };
    const bob = await (async () => {
      await using server = await startServer({ env: own });
      const client = await register(server);
      const { code } = await authorize(server, client, {}, { person: 'bob' });
      await redeem(server, client, code);
      const [grant] = JSON.parse((await run(commands, 'grants list --json', own)).stdout);
      return String(grant.subject);
    })();
    await run(commands, `people end -- ${bob}`, own);
    const events = async (line: string) =>
      (await run(commands, `audit show ${line} --json`, own)).stdout
        .split('\n')
        .filter(Boolean)
        .map((text) => JSON.parse(text));
    const [ended] = await events('--event access.ended');
    expect(ended).toMatchObject({ who: bob, details: { actor: expect.any(String) } });
    expect(await events(`--event access.ended --person=${ended.details.actor}`)).toEqual([ended]);
    expect((await events(`--person=${bob} --since 1h`)).length).toBeGreaterThan(1);
    const last = await events(`--since ${ended.at}`);
    expect(last.map(({ at }) => at).every((at) => at >= ended.at)).toBe(true);
    expect(last.length).toBeLessThan((await events('')).length);
    expect((await run(commands, 'audit show --since yesterday', own)).status).toBe(2);
    expect((await run(commands, 'audit export', own)).stdout).toBe(readFileSync(file, 'utf8'));
  });

  it('without AUDIT_KEY the commands say what is missing', async () => {
    const { stderr, status } = await run(commands, 'flows show x', { CONNECTORS: 'development' });
    expect({ stderr, status }).toEqual({
      stderr: 'auth-server: AUDIT_KEY: is required to read the audit\n',
      status: 1,
    });
  });
});

describe('commands that change something', () => {
  it('each has an entry with the command, what it names and who ran it, and no secret that it prints', async () => {
    const { env, file } = settings();
    const own = { ...env, DATA_DIR: folder };
    await run(commands, 'keys list', own);
    const { status, stdout } = await run(commands, 'initial-access-tokens add partners', own);
    expect(status).toBe(0);
    expect((await run(commands, 'clients remove nobody', own)).status).toBe(1);
    const entries = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(entries.map(({ event }) => event)).toEqual(['audit.started', 'admin.acted', 'audit.ended']);
    expect(entries[1]?.details).toMatchObject({ command: 'initial-access-tokens add', target: 'partners' });
    for (const word of stdout.split(/\s+/).filter(({ length }) => length > 20))
      expect(readFileSync(file, 'utf8')).not.toContain(word);
    expect((await run(commands, 'audit verify', own)).status).toBe(0);
  });

  it('tokens end has one entry, the same as that of the owner, with whose token it was and who ended it', async () => {
    const { env, file } = settings();
    const resource = { url: 'http://localhost:8080', scopes: { read: 'Read' } };
    const personal = { PERSONAL_TOKENS: 'services', RESOURCES: JSON.stringify([resource]) };
    const own = { ...env, ...personal, DATA_DIR: mkdtempSync(join(folder, 'data-')) };
    const { stdout } = await run(commands, 'tokens add nightly --scopes read --json', own);
    const { id, token } = JSON.parse(stdout);
    expect((await run(commands, `tokens end ${id}`, own)).status).toBe(0);
    expect((await run(commands, `tokens end ${id}`, own)).status).toBe(1);
    const entries = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ event }) => !event.startsWith('audit.'));
    expect(entries.map(({ event }) => event)).toEqual(['admin.acted', 'personal-token.ended']);
    expect(entries[1]).toMatchObject({
      outcome: 'ok',
      who: 'service:nightly',
      resource: 'http://localhost:8080/mcp',
      reason: 'the operator',
      details: { token: id, name: 'nightly', actor: entries[0].details.user },
    });
    expect(readFileSync(file, 'utf8')).not.toContain(token);
  });

  it('an ending by a command has one entry with who started it, whose access it was and what has ended', async () => {
    const { env, file } = settings();
    const own = { ...env, DATA_DIR: mkdtempSync(join(folder, 'data-')) };
    let person = '';
    {
      await using server = await startServer({ env: { ...own, AUDIT: 'off' } });
      const client = await register(server);
      await read(await redeem(server, client, (await authorize(server, client)).code));
      const { stdout } = await run(commands, 'grants list --json', own);
      const [grant] = JSON.parse(stdout);
      person = String(grant.subject ?? grant.person ?? grant.accountId);
    }
    const { status, stderr } = await run(commands, `people end -- ${person}`, own);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const entries = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(entries.map(({ event }) => event)).toEqual(['audit.started', 'access.ended', 'audit.ended']);
    expect(entries[1]).toMatchObject({
      outcome: 'ok',
      who: person,
      reason: 'cli',
      details: { target: 'person', grants: 1, actor: expect.any(String) },
    });
  });
});
