/** Proves RFC 9728 §2, §3: the scopes in a resource's metadata are used, kept during outages, and bounded. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createScopeSource } from '../../src/resources/resource-metadata.ts';

const URL = 'https://mcp.example/.well-known/oauth-protected-resource/mcp';
const RESOURCE = 'https://mcp.example/mcp';

/** A resource with the metadata that the test sets, or none while it is unavailable. */
function createNetwork() {
  const network = {
    scopes: ['mcp:tools', 'reports:read'] as unknown,
    resource: RESOURCE,
    name: undefined as unknown,
    cacheControl: 'public, max-age=60',
    isDown: false,
    asked: 0,
    failures: [] as unknown[],
    fetch: (async () => {
      network.asked += 1;
      if (network.isDown) throw new TypeError('fetch failed');
      const body = { resource: network.resource, resource_name: network.name, scopes_supported: network.scopes };
      return Response.json(body, { headers: { 'cache-control': network.cacheControl } });
    }) as typeof fetch,
  };
  const clock = new FakeClock();
  const source = createScopeSource({
    url: URL,
    identifiers: [RESOURCE, 'https://mcp.example/sse', 'https://mcp.example'],
    fetch: network.fetch,
    clock,
    onFailure: (error, isNews) => {
      if (isNews) network.failures.push(error);
    },
  });
  const names = () => {
    const scopes = source.current();
    return scopes && Object.keys(scopes);
  };
  return { network, clock, source, names };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('RFC 9728 §2 resource_name', () => {
  it.each([
    ['Notes of Acme', 'Notes of Acme'],
    [' Notes \u202e\n\u0000of Acme ', 'Notes of Acme'],
    ['x'.repeat(81), 'x'.repeat(80)],
    ['🐘'.repeat(81), '🐘'.repeat(80)],
    [' \u200b ', undefined],
    ['', undefined],
    [null, undefined],
    [{ en: 'Notes' }, undefined],
    [undefined, undefined],
  ])('the resource name %j is shown as %j, and does not affect the scopes', async (name, shown) => {
    const { network, source, names } = createNetwork();
    expect(source.name()).toBeUndefined();
    network.name = name;
    await source.ready();
    expect([source.name(), names()]).toEqual([shown, ['mcp:tools', 'reports:read']]);
  });
});

describe('RFC 9728 §2 scopes_supported', () => {
  it('scopes_supported is read at the first use, once for concurrent users, with our descriptions', async () => {
    const { network, source } = createNetwork();
    expect([source.current(), network.asked]).toEqual([undefined, 0]);
    await Promise.all([source.ready(), source.ready(), source.ready()]);
    expect(network.asked).toBe(1);
    expect(source.current()).toEqual({ 'mcp:tools': expect.stringMatching(/tools/), 'reports:read': 'reports:read' });
  });

  it('§3.2 scopes_supported is cached as long as the document says, and renewed in the background', async () => {
    const { network, clock, source, names } = createNetwork();
    await source.ready();
    network.scopes = ['mcp:tools', 'files:write'];
    clock.advance(59);
    await source.ready();
    await turn();
    expect([network.asked, names()]).toEqual([1, ['mcp:tools', 'reports:read']]);
    clock.advance(2);
    await source.ready();
    await turn();
    expect([network.asked, names()]).toEqual([2, ['mcp:tools', 'files:write']]);
  });

  it.each([
    ['no-store', 300],
    ['max-age=0', 30],
    ['max-age=999999999', 3_600],
    ['', 300],
  ])('RFC 9111 §5.2.2 "%s" is followed within bounds: %i s', async (cacheControl, seconds) => {
    const { network, clock, source } = createNetwork();
    network.cacheControl = cacheControl;
    await source.ready();
    clock.advance(seconds - 1);
    await source.ready();
    expect(network.asked).toBe(1);
    clock.advance(1);
    await source.ready();
    expect(network.asked).toBe(2);
  });

  it('the scopes stay unchanged while the resource is unreachable', async () => {
    const { network, clock, source, names } = createNetwork();
    await source.ready();
    network.isDown = true;
    clock.advance(86_400);
    await source.ready();
    await turn();
    clock.advance(60);
    await source.ready();
    await turn();
    expect([network.asked, network.failures.length]).toEqual([3, 1]);
    expect(names()).toEqual(['mcp:tools', 'reports:read']);
  });

  it('the scopes are forgotten a week after the last answer of the resource, and learned again', async () => {
    const { network, clock, source, names } = createNetwork();
    await source.ready();
    const before = source.revision();
    network.isDown = true;
    clock.advance(7 * 86_400);
    await source.ready();
    expect([names(), source.revision()]).toEqual([undefined, before + 1]);
    await turn();
    network.isDown = false;
    clock.advance(1);
    await source.ready();
    await turn();
    expect(names()).toEqual(['mcp:tools', 'reports:read']);
  });

  it('an unreachable resource is waited for once, then learned in the background', async () => {
    const { network, clock, source, names } = createNetwork();
    network.isDown = true;
    await source.ready();
    expect([network.asked, names()]).toEqual([1, undefined]);
    network.isDown = false;
    clock.advance(1);
    await source.ready();
    await turn();
    expect([network.asked, names()]).toEqual([2, ['mcp:tools', 'reports:read']]);
  });

  it('the scopes are fetched again when a new one is requested, at a limited rate', async () => {
    const { network, clock, source, names } = createNetwork();
    await source.ready();
    network.scopes = ['mcp:tools', 'new:one'];
    await source.renew();
    expect([network.asked, names()]).toEqual([1, ['mcp:tools', 'reports:read']]);
    clock.advance(30);
    await Promise.all([source.renew(), source.renew()]);
    expect([network.asked, names()]).toEqual([2, ['mcp:tools', 'new:one']]);
  });

  it('scopes_supported yields valid scope names (RFC 6749 §3.3), each once, at most 200', async () => {
    const { network, source, names } = createNetwork();
    const many = Array.from({ length: 500 }, (_, index) => `s${index}`);
    network.scopes = [
      'a',
      'a',
      null,
      7,
      { name: 'b' },
      ['c'],
      'with blank',
      'quo"te',
      '',
      'openid',
      'offline_access',
      'x'.repeat(201),
      ...many,
    ];
    await source.ready();
    expect(names()?.slice(0, 3)).toEqual(['a', 's0', 's1']);
    expect(names()).toHaveLength(200);
  });
});

describe('RFC 9728 §3.3 unusable resource metadata', () => {
  it.each([
    ['about another resource', { resource: 'https://evil.example/mcp' }],
    ['about no resource', { resource: 'nonsense' }],
    ['whose scopes are not a list', { scopes: 'mcp:tools' }],
    ['whose scopes are not names', { scopes: [1, {}] }],
  ])('a document %s must not be used', async (_, change) => {
    const { network, source } = createNetwork();
    Object.assign(network, change);
    await source.ready();
    expect([source.current(), network.failures.length]).toEqual([undefined, 1]);
  });

  it.each([[undefined], [null], [[]]])(
    'a document that names no scope (%j) leaves the scopes unset',
    async (scopes) => {
      const { network, source } = createNetwork();
      network.scopes = scopes;
      await source.ready();
      expect([source.current(), network.failures.length]).toEqual([undefined, 0]);
    },
  );

  it('a document may name the resource by another of its identifiers, in another spelling', async () => {
    const { network, source, names } = createNetwork();
    network.resource = 'https://MCP.example/';
    await source.ready();
    expect(names()).toEqual(['mcp:tools', 'reports:read']);
  });
});
