/** Proves that docs/standards.md says what the titles of the tests say. */
import { expect, it } from 'vitest';
import { standardsPage } from '../standards.ts';

const SOURCE = `
describe('RFC 9068 access tokens', () => {
  it('§2.2 name one audience', () => {});
  it.each([
    ['a'],
  ])('RFC 6749 §5.2, RFC 7009 §2.1: %s | is refused', () => {});
});
describe.each(all)('MCP 2025-11-25 basic/transports: on \${name}', () => {
  it('cites nothing', () => {});
});
`;

it('docs/standards.md has one row for each clause that a title cites, under its standard', () => {
  const page = standardsPage([{ path: 'auth-server/test/tokens.test.ts', text: SOURCE }]);
  const link = '[tokens](../auth-server/test/tokens.test.ts)';
  const sections = page.split('\n## ').slice(1);
  expect(sections.map((section) => section.split('\n')[0])).toEqual([
    'MCP 2025-11-25',
    'RFC 6749: The OAuth 2.0 Authorization Framework',
    'RFC 7009: Token Revocation',
    'RFC 9068: JWT Profile for Access Tokens',
  ]);
  expect(sections[0]).toContain(`| basic/transports | MCP 2025-11-25 basic/transports: on … | ${link} |`);
  expect(sections[1]).toContain(`| §5.2 | RFC 6749 §5.2, RFC 7009 §2.1: … \\| is refused | ${link} |`);
  expect(sections[3]).toContain(`| §2.2 | RFC 9068 access tokens: §2.2 name one audience | ${link} |`);
  expect(page).not.toContain('cites nothing');
});
