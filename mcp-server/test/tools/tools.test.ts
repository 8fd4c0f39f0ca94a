/** Proves the answers of the tools, and that each keeps the contract. */

import { describe, expect, it } from 'vitest';
import type { PersonClaims } from '../../src/authorization/person-claims.ts';
import { toolContract } from '../contracts/tool.contract.ts';
import { testContext } from '../support/definition-context.ts';
import { builtIn } from '../support/protocol-harness.ts';

const { tools } = builtIn;

const examples: Readonly<Record<string, Record<string, unknown>>> = {
  confirm: { question: 'Sure?' },
  countdown: { from: 1, interval_ms: 0 },
  echo: { message: 'hi' },
  stock_price: { symbol: 'aapl' },
  sum: { a: 1, b: 2 },
};

for (const tool of tools.entries) toolContract(tool, examples[tool.key] ?? {});

async function run(name: string, args: Record<string, unknown>, claims: PersonClaims = {}) {
  const tool = tools.find(name);
  const checked = tool?.check(args);
  if (!tool || !checked || 'problems' in checked) throw new Error(`${name} does not take that`);
  return tool.run(checked.input, { ...testContext, principal: { ...testContext.principal, claims } });
}

describe('sum', () => {
  it.each([
    [0.1, 0.2, '0.3', 0.3],
    [0.001, 0.002, '0.003', 0.003],
    [1.5, -1.5, '0', 0],
    [-0.25, 0.125, '-0.125', -0.125],
    [1e21, 1, '1000000000000000000001', 1e21],
    [1e-7, 2e-7, '0.0000003', 3e-7],
    [100, 20, '120', 120],
    [1e300, 1, '1e+300', 1e300],
  ])('sum of %d and %d is %s', async (a, b, text, result) => {
    expect(await run('sum', { a, b })).toEqual({ text: `The sum of ${a} and ${b} is ${text}`, structured: { result } });
  });

  it('sum says when the result is too large', async () => {
    await expect(async () => run('sum', { a: 1.7e308, b: 1.7e308 })).rejects.toThrow('too large');
  });
});

describe('stock_price', () => {
  it('stock_price gives one price a minute, within its range, marked as demo data', async () => {
    const { text, structured } = await run('stock_price', { symbol: ' aapl ' });
    expect(structured).toMatchObject({ symbol: 'AAPL', currency: 'USD', last_updated: '2026-01-01T00:00:00.000Z' });
    const { price } = structured as { price: number };
    expect(Math.abs(price - 185.25)).toBeLessThanOrEqual(5);
    expect(text).toContain(`$${price.toFixed(2)} USD`);
    expect(text).toContain('demo data');
    expect(await run('stock_price', { symbol: 'AAPL' })).toEqual({ text, structured });
  });

  it.each(['XXX', 'constructor'])('stock_price names the known symbols for the unknown symbol %s', async (symbol) => {
    await expect(async () => run('stock_price', { symbol })).rejects.toThrow(/AAPL, AMD, .*TSLA/);
  });
});

describe('whoami', () => {
  it('whoami returns the claims of the token, and not the token', async () => {
    expect((await run('whoami', {})).structured).toEqual({
      subject: 'ada',
      client: 'inspector',
      scopes: ['mcp:tools'],
      issuer: 'https://as.example',
      expires_at: '2026-01-01T01:00:00.000Z',
    });
  });

  it('whoami shows a name beside the subject, and every claim about the person that the token has', async () => {
    const claims = {
      name: 'Ada Lovelace',
      username: 'ada.l',
      email: 'ada@example.com',
      groups: ['ops'],
      roles: [],
      org: 'acme',
    };
    const { text, structured } = await run('whoami', {}, claims);
    expect(structured).toMatchObject({ subject: 'ada', client: 'inspector', ...claims });
    expect(text?.split('\n')).toEqual([
      'You are Ada Lovelace (ada.l, ada@example.com, subject ada), signed in at https://as.example.',
      'Client: inspector',
      'Scopes: mcp:tools',
      'Organisation: acme',
      'Groups: ops',
      'Roles: none',
      'Access token valid until 2026-01-01T01:00:00.000Z',
    ]);
  });

  it.each([
    [{}, 'You are ada, signed in'],
    [{ email: 'ada@example.com' }, 'You are ada@example.com (subject ada), signed in'],
    [{ username: 'ada.l', email: 'ada@example.com' }, 'You are ada.l (ada@example.com, subject ada), signed in'],
  ])('whoami with the claims %j says "%s"', async (claims, said) => {
    expect((await run('whoami', {}, claims)).text).toContain(said);
  });
});

describe('countdown', () => {
  it('countdown has limits for its number and interval', async () => {
    await expect(run('countdown', { from: 61 })).rejects.toThrow();
    await expect(run('countdown', { interval_ms: 5_001 })).rejects.toThrow();
  });
});
