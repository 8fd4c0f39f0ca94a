/**
 * Proves that a resource is found, subscribed and protected under every equivalent spelling of its URI (RFC 3986 §6.2.2
 * and §6.2.3, RFC 6570 §3.1): clients with a URL type of their own (pydantic's AnyUrl) normalize the URI that they
 * send.
 */
import { describe, expect, it } from 'vitest';
import { createScopePolicy } from '../../src/authorization/scope.ts';
import { createCatalog } from '../../src/protocol/catalog/catalog.ts';
import { defineResource } from '../../src/protocol/define.ts';
import { methodsOver } from '../support/methods-harness.ts';
import { json, messagesOf, openSession, request, send, startMcp } from '../support/protocol-harness.ts';
import { meta, post, startStateless } from '../support/stateless-harness.ts';

const about = { title: 't', description: 'd' };
const fixed = (uri: string, more: object = {}) =>
  defineResource({ ...about, name: 'fixed', uri, read: () => ({ text: 'fixed' }), ...more });
const template = (uriTemplate: string, more: object = {}) =>
  defineResource({
    ...about,
    name: 'template',
    uriTemplate,
    read: (variables) => ({ text: Object.values(variables).join() }),
    complete: { name: () => ['suggested'] },
    ...more,
  });

/** As declared, and as a client sends it. */
const fixedRows = [
  ['https://docs.example.com', 'https://docs.example.com/'],
  ['https://docs.example.com/', 'https://docs.example.com'],
  ['HTTPS://Docs.Example.com/a', 'https://docs.example.com/a'],
  ['https://docs.example.com/a', 'https://DOCS.example.com:443/a'],
  ['file:///caf%C3%A9', 'file:///café'],
  ['file:///caf%c3%a9', 'file:///caf%C3%A9'],
  ['about://server', 'about://server/'],
  ['about://server', 'ABOUT://Server'],
  ['file:///a', 'file://localhost/a'],
  ['urn:isbn:0451450523', 'URN:isbn:0451450523'],
] as const;

const templateRows = [
  ['file:///café/{name}', 'file:///caf%C3%A9/{name}', 'file:///caf%C3%A9/a'],
  ['file:///café/{name}', 'file:///caf%C3%A9/%7Bname%7D', 'file:///café/a'],
  ['file:///my docs/{name}', 'file:///my%20docs/{name}', 'file:///my%20docs/a'],
  ['HTTPS://Docs.Example.com/{name}', 'https://docs.example.com/{name}', 'https://docs.example.com/a'],
  ['https://docs.example.com/{name}', 'https://docs.example.com/%7Bname%7D', 'HTTPS://docs.example.com/a'],
] as const;

describe('resources/read', () => {
  it.each(fixedRows)('RFC 3986 §6.2 the resource %s is found under %s', async (uri, sent) => {
    const { ask } = methodsOver([fixed(uri)]);
    expect(await ask('resources/read', { uri: sent })).toEqual({ contents: [{ uri: sent, text: 'fixed' }] });
    expect(await ask('resources/read', { uri })).toEqual({ contents: [{ uri, text: 'fixed' }] });
  });

  it.each(templateRows)(
    'RFC 6570 §3.1 the template %s, asked for as %s, is found under %s',
    async (uriTemplate, _, sent) => {
      const { ask } = methodsOver([template(uriTemplate)]);
      expect(await ask('resources/read', { uri: sent })).toEqual({ contents: [{ uri: sent, text: 'a' }] });
    },
  );

  it('RFC 3986 §6.2.2.1 the case of paths and of variables is significant', async () => {
    const { ask } = methodsOver([fixed('https://x.example/A'), template('notes://{name}/{id}')]);
    await expect(ask('resources/read', { uri: 'https://x.example/a' })).rejects.toMatchObject({ code: -32602 });
    expect(await ask('resources/read', { uri: 'Notes://Ada/B' })).toMatchObject({ contents: [{ text: 'Ada,B' }] });
  });
});

describe('completion/complete', () => {
  it.each(templateRows)('RFC 6570 §3.1 a completion finds the template %s under %s', async (uriTemplate, sent) => {
    const params = { ref: { type: 'ref/resource', uri: sent }, argument: { name: 'name', value: '' } };
    const { ask } = methodsOver([template(uriTemplate)]);
    expect(await ask('completion/complete', params)).toMatchObject({ completion: { values: ['suggested'] } });
  });
});

describe('resources and templates with a scope', () => {
  const scope = 'mcp:admin';
  const policy = (definitions: Parameters<typeof createCatalog>[0]) =>
    createScopePolicy({ base: 'mcp:tools', hierarchy: new Map(), scoped: () => createCatalog(definitions).scoped });

  it.each(fixedRows)('the resource %s needs its scope under the spelling %s', async (uri, sent) => {
    const guarded = [fixed(uri, { scope })];
    for (const method of ['resources/read', 'resources/subscribe']) {
      expect(policy(guarded).required({ method, params: { uri: sent } })).toEqual(['mcp:tools', scope]);
    }
    const params = { notifications: { resourceSubscriptions: [sent] } };
    expect(policy(guarded).required({ method: 'subscriptions/listen', params })).toEqual(['mcp:tools', scope]);
    await expect(methodsOver(guarded).ask('resources/read', { uri: sent })).rejects.toMatchObject({ code: -32602 });
  });

  it.each(templateRows)(
    'the template %s needs its scope under the spellings %s and %s',
    async (uriTemplate, ref, sent) => {
      const guarded = [template(uriTemplate, { scope })];
      const needs = (method: string, params: object) => policy(guarded).required({ method, params });
      expect(needs('resources/read', { uri: sent })).toEqual(['mcp:tools', scope]);
      expect(needs('completion/complete', { ref: { type: 'ref/resource', uri: ref } })).toEqual(['mcp:tools', scope]);
      await expect(methodsOver(guarded).ask('resources/read', { uri: sent })).rejects.toMatchObject({ code: -32602 });
    },
  );
});

describe('resources/updated', () => {
  it.each(fixedRows)(
    'RFC 3986 §6.2 an update of %s reaches a session that subscribed to %s, until it unsubscribes',
    async (uri, sent) => {
      await using mcp = await startMcp({ catalog: createCatalog([fixed(uri)]) });
      const session = await openSession(mcp.url);
      const ask = async (method: string, asked: string) =>
        json(await send(mcp.url, request(1, method, { uri: asked }), { session }));
      expect(await ask('resources/subscribe', sent)).toMatchObject({ result: {} });
      const stream = messagesOf(await send(mcp.url, undefined, { method: 'GET', session }));
      await mcp.endpoints.changes.announce({ kind: 'resource', uri });
      expect((await stream.next()).value).toMatchObject({ method: 'notifications/resources/updated', params: { uri } });
      // Under the spelling of the list.
      expect(await ask('resources/unsubscribe', uri)).toMatchObject({ result: {} });
      await mcp.endpoints.changes.announce({ kind: 'resource', uri });
      await mcp.endpoints.changes.announce({ kind: 'tools' });
      expect((await stream.next()).value).toMatchObject({ method: 'notifications/tools/list_changed' });
    },
  );

  it.each(fixedRows)(
    'RFC 3986 §6.2 an update of %s reaches a stream that listens to %s (MCP 2026-07-28)',
    async (uri, sent) => {
      await using own = await startStateless();
      const params = { notifications: { resourceSubscriptions: [sent] }, _meta: meta() };
      const stream = messagesOf(await post(own.url, { jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params }));
      expect((await stream.next()).value).toMatchObject({ method: 'notifications/subscriptions/acknowledged' });
      await own.changes.announce({ kind: 'resource', uri });
      expect((await stream.next()).value).toMatchObject({ method: 'notifications/resources/updated', params: { uri } });
    },
  );
});

describe('declared resources and templates', () => {
  it('RFC 3986 §6.2 a resource cannot be declared twice in two spellings', () => {
    const [one, other] = ['https://docs.example.com', 'https://DOCS.example.com/'];
    expect(() => createCatalog([fixed(one), fixed(other)])).toThrow('two resources are named');
    expect(() => createCatalog([template('x:é{name}'), template('X:%C3%A9{name}')])).toThrow('two resources are named');
  });

  it.each([
    ['file:///café', 'write it as file:///caf%C3%A9'],
    ['file:///my docs', 'write it as file:///my%20docs'],
    ['x:100%', 'is not a URI'],
  ])('RFC 3986 §2 the URI %s is refused, with the URI that it means', (uri, reason) => {
    expect(() => createCatalog([fixed(uri)])).toThrow(reason);
  });
});

it.each(['http://[::1', 'http://x.example:99999/', 'notes://x:99999/', 'http://256.1.1.1/', 'http:///'])(
  'RFC 3986 §3.2 the URI %s is refused when loaded, because clients with a URL type would lose the whole list',
  (uri) => {
    expect(() => createCatalog([fixed(uri)])).toThrow('is not a URI that clients can parse');
  },
);
