/**
 * Proves that mcp-server as a process starts although issuers cannot be reached, whatever the cause: it neither waits nor ends, says which
 * ones are missing, serves those who come from the others, and reads the keys when they are there.
 */
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ClientHost } from '../../auth-server/test/support/client-host.ts';
import { type Foreign, startForeign } from '../../mcp-server/test/support/foreign.ts';
import { signToken } from '../../mcp-server/test/support/issuer.ts';
import { initialize, postJson } from '../support/oauth-client.ts';
import { ResourceServer } from '../support/resource-server.ts';

let people: Foreign;
let silent: Server;
let untrusted: ClientHost;
/** An address at which nobody listens. */
let closed: string;
beforeEach(async () => {
  silent = createServer();
  const [port = 0, unused] = await freePorts(2);
  [people, untrusted] = await Promise.all([startForeign(), ClientHost.start()]);
  await new Promise<void>((resolve) => silent.listen(port, '127.0.0.1', resolve));
  closed = `http://localhost:${unused}`;
});
afterEach(async () => {
  silent.close();
  await Promise.all([people.issuer.close(), untrusted[Symbol.asyncDispose]()]);
});

const addressOf = (server: Server): string => {
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
};

/** What the log has to say of each. */
const REASONS = {
  // Once: its other places are not asked after that.
  SILENT: /^no metadata [^;]* did not answer within 5 s$|^http[^;]* did not answer within 5 s$/,
  CLOSED: /ECONNREFUSED/,
  // The name servers of some networks say nothing about a name that does not exist.
  NAMELESS: /ENOTFOUND|EAI_AGAIN|did not answer within 5 s/,
  UNTRUSTED: /certificate/,
};
const missing = (): Readonly<Record<keyof typeof REASONS, string>> => ({
  SILENT: addressOf(silent),
  CLOSED: closed,
  NAMELESS: 'https://issuer.invalid',
  UNTRUSTED: `https://${untrusted.name}`,
});
const urlsOf = (issuers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(issuers).map(([id, url]) => [`ISSUER_${id}_URL`, url]));
const ids = (issuers: object) => Object.keys(issuers).join(',').toLowerCase();

const tokenOf = (issuer: string, server: ResourceServer) => {
  const [aud, exp] = [`${server.url}/mcp`, Date.now() / 1000 + 600];
  const claims = { iss: issuer, aud, sub: 'ada', client_id: 'desk', scope: 'mcp:tools', exp };
  return signToken({ key: people.key, claims });
};
const readiness = async ({ url }: ResourceServer) => {
  const answer = await fetch(`${url}/readyz`);
  return { status: answer.status, body: await answer.json() };
};

it('mcp-server starts, names the issuers that are missing, and serves those who come from another', async () => {
  const issuers = { PEOPLE: people.issuer.url, ...missing() };
  await using server = await ResourceServer.start({ ISSUERS: ids(issuers), ...urlsOf(issuers) });
  // Of a gateway: answered as soon as the keys of one are there.
  expect((await fetch(`${server.url}/accepting`)).status).toBe(204);
  const not = 'keys not read';
  expect(await readiness(server)).toEqual({
    status: 200,
    body: { status: 'ok', issuers: { people: 'keys read', silent: not, closed: not, nameless: not, untrusted: not } },
  });
  expect(await server.whoami(await tokenOf(people.issuer.url, server))).toMatchObject({ subject: 'ada' });
  for (const [id, reason] of Object.entries(REASONS)) {
    const issuer = missing()[id as keyof typeof REASONS];
    const token = await tokenOf(issuer, server);
    const answer = await postJson(`${server.url}/mcp`, initialize(), { authorization: `Bearer ${token}` });
    expect([answer.status, answer.headers.get('retry-after')], id).toEqual([503, expect.stringMatching(/^\d+$/)]);
    const lines = server.output.split('\n').filter((line) => line.startsWith('{'));
    const told = lines.map((line) => JSON.parse(line)).find((line) => line.issuer === issuer && line.level === 'warn');
    expect(told, id).toMatchObject({ msg: /not fetched/, reason: expect.stringMatching(reason) });
  }
});

it('mcp-server starts while no issuer can be reached, serves its documents, and needs no restart when one is there', async () => {
  const [port = 0] = await freePorts(1);
  const url = `http://localhost:${port}`;
  const issuers = { LATE: url, ...missing() };
  await using server = await ResourceServer.start({ ISSUERS: ids(issuers), ...urlsOf(issuers) });
  expect(await readiness(server)).toMatchObject({ status: 200, body: { issuers: { late: 'keys not read' } } });
  const document = await fetch(`${server.url}/.well-known/oauth-protected-resource/mcp`);
  expect(await document.json()).toMatchObject({ authorization_servers: Object.values(issuers) });
  const token = await tokenOf(url, server);
  const refused = await postJson(`${server.url}/mcp`, initialize(), { authorization: `Bearer ${token}` });
  expect(refused.status).toBe(503);
  await using late = await startLate(port);
  await expect.poll(() => server.whoami(token).catch(() => undefined)).toMatchObject({ issuer: late.url });
  expect(await readiness(server)).toMatchObject({ body: { issuers: { late: 'keys read' } } });
});

/** An issuer that comes up at an address that is known before, with the key of `people`. */
async function startLate(port: number): Promise<AsyncDisposable & { readonly url: string }> {
  const url = `http://localhost:${port}`;
  const documents: Readonly<Record<string, object>> = {
    '/.well-known/oauth-authorization-server': { issuer: url, jwks_uri: `${url}/jwks` },
    '/jwks': { keys: [people.key.publicJwk] },
  };
  const server = createHttpServer((req, res) => {
    res.setHeader('content-type', 'application/json').end(JSON.stringify(documents[req.url ?? ''] ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { url, [Symbol.asyncDispose]: close };
}
