/** Proves that the form of an act is good once, for its session, its target and what the page showed (CWE-352). */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createFormTokens } from '../../../src/http/admin/form-token.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';

const GRANT = { kind: 'grant', id: 'g' };
const SHOWN = 'A'.repeat(43);

function open() {
  const clock = new FakeClock();
  const store = createSqliteStore(':memory:', clock);
  const tokens = createFormTokens({ key: 'key', store, clock });
  return { clock, store, tokens, token: tokens.issue('session', GRANT, SHOWN) };
}

describe('the token of a form that ends something', () => {
  it('the token of a form is good once', async () => {
    const { tokens, token } = open();
    expect(await tokens.redeem(token, 'session', GRANT, SHOWN)).toBe('good');
    expect(await tokens.redeem(token, 'session', GRANT, SHOWN)).toBe('refused');
  });

  it('one of a hundred concurrent posts is good, at all replicas together', async () => {
    const { clock, store, tokens, token } = open();
    const replicas = [tokens, createFormTokens({ key: 'key', store, clock })];
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => replicas[index % 2]?.redeem(token, 'session', GRANT, SHOWN)),
    );
    expect(answers.filter((answer) => answer === 'good')).toHaveLength(1);
  });

  it.each([
    ['another session', 'other', GRANT],
    ['another target', 'session', { kind: 'grant', id: 'h' }],
    ['another kind', 'session', { kind: 'client', id: 'g' }],
  ])('the token of a form is refused for %s, and stays good', async (_what, session, target) => {
    const { tokens, token } = open();
    expect(await tokens.redeem(token, session, target, SHOWN)).toBe('refused');
    expect(await tokens.redeem(token, 'session', GRANT, SHOWN)).toBe('good');
  });

  it('what has changed since is told from a forged form, and an altered digest is forged', async () => {
    const { tokens, token } = open();
    expect(await tokens.redeem(token, 'session', GRANT, 'B'.repeat(43))).toBe('changed');
    expect(await tokens.redeem(token.replace(SHOWN, 'B'.repeat(43)), 'session', GRANT, 'B'.repeat(43))).toBe('refused');
  });

  it('the token of a form ends after five minutes, and its time cannot be altered', async () => {
    const { clock, tokens, token } = open();
    clock.advance(301);
    expect(await tokens.redeem(token, 'session', GRANT, SHOWN)).toBe('refused');
    const [, ...rest] = token.split('.');
    const renewed = [Math.floor(clock.now() / 1000), ...rest].join('.');
    expect(await tokens.redeem(renewed, 'session', GRANT, SHOWN)).toBe('refused');
  });

  it.each(['', '.', '1.2.3.4', `${'x'.repeat(100_000)}`])('%# text that is no token is refused', async (token) => {
    expect(await open().tokens.redeem(token, 'session', GRANT, SHOWN)).toBe('refused');
  });
});
