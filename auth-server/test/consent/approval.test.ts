/** Owns the proof that a form token is good for what its page showed, to the person it showed it to, and for nothing else. */
import { describe, expect, it } from 'vitest';
import { formToken } from '../../src/consent/approval.ts';
import type { PendingInteraction } from '../../src/consent/interaction.ts';

const pending: PendingInteraction = {
  uid: 'one',
  client: { id: 'client', name: 'App' },
  redirectUri: 'https://app.example/callback',
  resource: { identifier: 'https://mcp.example/mcp', name: 'mcp.example' },
  scopes: [{ name: 'mcp:tools', description: 'Use the tools' }],
  accountId: 'alice',
};

describe('RFC 9700 §4.7 the form token', () => {
  it.each([
    ['another interaction', { uid: 'two' }],
    ['another client', { client: { id: 'other', name: 'App' } }],
    ['another place', { redirectUri: 'https://evil.example/callback' }],
    ['another server', { resource: { identifier: 'https://other.example/mcp', name: 'mcp.example' } }],
    ['another scope', { scopes: [{ name: 'mcp:admin', description: 'Use the tools' }] }],
    ['another person', { accountId: 'bob' }],
    ['nobody', { accountId: undefined }],
  ])('is not good for %s', (_, change: Partial<PendingInteraction>) => {
    expect(formToken('key', { ...pending, ...change })).not.toBe(formToken('key', pending));
  });

  it('is good at a replica that knows the same scopes in another order, as one does that has not heard from the resource', () => {
    const tokenFor = (...names: readonly string[]) =>
      formToken('key', { ...pending, scopes: names.map((name) => ({ name, description: name })) });
    expect(tokenFor('mcp:admin', 'mcp:tools')).toBe(tokenFor('mcp:tools', 'mcp:admin'));
  });

  it('is not good for another key', () => expect(formToken('other', pending)).not.toBe(formToken('key', pending)));
});
