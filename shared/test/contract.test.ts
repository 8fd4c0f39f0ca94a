import { canonicalResource, resourceIdentifiers, SCOPE_TOKEN } from '@mcp-oauth/shared/contract';
import { describe, expect, it } from 'vitest';

describe('RFC 8707 §2 resource identifiers', () => {
  it('a resource has one canonical identifier and its aliases', () => {
    expect(resourceIdentifiers('https://mcp.example.com')).toEqual([
      'https://mcp.example.com/mcp',
      'https://mcp.example.com/sse',
      'https://mcp.example.com',
    ]);
  });

  it.each([
    ['https://MCP.Example.com/mcp', 'https://mcp.example.com/mcp'],
    ['HTTPS://mcp.example.com/mcp/', 'https://mcp.example.com/mcp'],
    ['https://mcp.example.com:443/', 'https://mcp.example.com'],
    ['https://mcp.example.com', 'https://mcp.example.com'],
    ['https://mcp.example.com/MCP', 'https://mcp.example.com/MCP'],
    ['https://mcp.example.com/mcp#part', undefined],
    ['https://mcp.example.com/mcp#', undefined],
    ['/mcp', undefined],
    ['', undefined],
  ])('the identifier %s is normalized to %s', (given, expected) => expect(canonicalResource(given)).toBe(expected));
});

describe('RFC 6749 §3.3 scope-token', () => {
  it.each(['mcp:tools', '!', '~', 'https://example.com/read', '#[]'])('the text %j is one scope', (text) =>
    expect(SCOPE_TOKEN.test(text)).toBe(true),
  );

  it.each(['', 'a b', '"', '\\', 'ä', 'a\n', '\x7f'])('the text %j is not one scope', (text) =>
    expect(SCOPE_TOKEN.test(text)).toBe(false),
  );
});
