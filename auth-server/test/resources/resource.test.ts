/**
 * Proves which `resource` and `scope` parameters are accepted, and which resource and scopes they result in (RFC 8707
 * §2).
 */
import { describe, expect, it } from 'vitest';
import { createResources, grantedSpelling } from '../../src/resources/resource.ts';
import { resources as setting } from '../../src/resources/resource-setting.ts';

const read = (text: string) => setting().safeParse(text);
const parse = (text: string) => setting().parse(text);
const problem = (text: string) => read(text).error?.issues[0]?.message;

describe('RFC 8707 §2 resources', () => {
  const resources = createResources(parse('https://mcp.example.com, http://localhost:8080'));

  it.each([
    'https://mcp.example.com/mcp',
    'https://mcp.example.com/sse',
    'https://mcp.example.com',
    'https://mcp.example.com/',
    'https://MCP.example.com:443/mcp/',
  ])('the identifier %s names the resource of that origin', (identifier) => {
    expect(resources.find(identifier)?.audience).toBe('https://mcp.example.com/mcp');
  });

  it.each(['https://mcp.example.com/other', 'https://evil.example', 'mcp', '', 'https://mcp.example.com/mcp#x'])(
    'the identifier %j names no resource',
    (identifier) => expect(resources.find(identifier)).toBeUndefined(),
  );

  it('the granted identifier replaces another spelling, and never that of another resource', () => {
    const granted = ['https://mcp.example.com/mcp'];
    expect(grantedSpelling('https://mcp.example.com/', granted, resources)).toBe(granted[0]);
    expect(grantedSpelling('http://localhost:8080/mcp', granted, resources)).toBe('http://localhost:8080/mcp');
    expect(grantedSpelling('nonsense', granted, resources)).toBe('nonsense');
  });
});

describe('RESOURCES', () => {
  it('RESOURCES takes a JSON array for special settings', () => {
    const [resource] = parse(
      JSON.stringify([
        { url: 'https://a.example', name: 'A', scopes: { read: 'Read' }, audience: 'urn:a', accessTokenLifetime: '5m' },
      ]),
    );
    expect(resource).toEqual({
      name: 'A',
      address: 'a.example',
      identifiers: ['https://a.example/mcp', 'https://a.example/sse', 'https://a.example'],
      audience: 'urn:a',
      scopes: { read: 'Read' },
      metadataUrl: 'https://a.example/.well-known/oauth-protected-resource/mcp',
      accessTokenLifetime: 300,
    });
  });

  it('RFC 8707 §2 an MCP server below a path has identifiers and metadata with that path', () => {
    expect(parse('https://example.com/tools/')).toEqual([
      expect.objectContaining({
        address: 'example.com/tools',
        identifiers: ['https://example.com/tools/mcp', 'https://example.com/tools/sse', 'https://example.com/tools'],
        metadataUrl: 'https://example.com/.well-known/oauth-protected-resource/tools/mcp',
      }),
    ]);
  });

  it.each([
    ['', 'expected URLs'],
    ['mcp.example.com', 'expected a URL such as'],
    ['https://mcp.example.com/mcp', 'expected the URL without /mcp'],
    ['https://example.com/tools/../a', 'expected a URL such as'],
    ['[{]', 'expected URLs'],
    ['[]', 'expected URLs'],
    ['[{"url":"https://a.example","nmae":"x"}]', '"nmae" is not a known member; did you mean "name"?'],
    ['[{"url":"https://a.example","scope":{"read":"Read"}}]', 'did you mean "scopes"?'],
    ['[{"url":"https://a.example","accessTokenLifeTimes":"5m"}]', 'did you mean "accessTokenLifetime"?'],
    [
      '[{"url":"https://a.example"},{"url":"https://b.example","x":1}]',
      '1: "x" is not a known member; known: url, name',
    ],
    [
      '[{"url":"https://a.example","scopes":{"y":"Y"},"defaultScope":"x"}]',
      '"x" of https://a.example/mcp is not one of its scopes',
    ],
    ['[{"url":"https://a.example","scopes":{}}]', 'at least one scope'],
    ['[{"url":"https://a.example","audience":" "}]', 'audience: expected an identifier'],
    ['[{"url":"https://a.example","audience":""}]', 'audience: expected an identifier'],
    ['[{"url":"https://a.example","name":" "}]', 'name: expected a name'],
    ['[{"url":"https://a.example","identifiers":["",""]}]', 'identifiers.0: expected an absolute URI'],
    ['[{"url":"https://a.example","metadataUrl":"file:///etc/passwd"}]', 'metadataUrl'],
    ['https://a.example,https://A.example:443', 'identifies two resources'],
  ])('RESOURCES refuses %j', (text, words) => {
    expect(problem(text)).toContain(words);
  });
});
