/**
 * Owns the tool `stock_price`: invented prices, to demonstrate a tool with a closed set of arguments and a helpful
 * error.
 */

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { defineTool, ToolError } from '../protocol/define.ts';

/** Mean price of each symbol in US dollars, and its maximum deviation below and above. */
const SYMBOLS = new Map<string, readonly [price: number, below: number, above: number]>([
  ['AAPL', [185.25, 5, 5]],
  ['AMD', [142.35, 5, 5]],
  ['AMZN', [145.75, 5, 5]],
  ['GOOGL', [135.5, 5, 5]],
  ['INTC', [23.45, 2, 3]],
  ['META', [325.4, 7, 8]],
  ['MSFT', [378.9, 5, 5]],
  ['NFLX', [425.8, 7, 8]],
  ['NVDA', [485.6, 10, 10]],
  ['TSLA', [205.3, 10, 10]],
]);

const NOTE = 'This is demo data for testing purposes' as const;

export default defineTool({
  name: 'stock_price',
  title: 'Stock price (demo data)',
  description: `Gives a made-up price of a stock, for trying things out: never use it for real decisions. Known symbols: ${[...SYMBOLS.keys()].join(', ')}.`,
  input: z.object({ symbol: z.string().min(1).max(16).describe('Ticker symbol such as AAPL, in upper or lower case') }),
  output: z.object({
    symbol: z.string(),
    price: z.number(),
    currency: z.literal('USD'),
    last_updated: z.iso.datetime(),
    note: z.literal(NOTE),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: ({ symbol: given }, { now }) => {
    const symbol = given.trim().toUpperCase();
    const range = SYMBOLS.get(symbol);
    if (!range) {
      throw new ToolError(`There is no price for "${given}". Known symbols: ${[...SYMBOLS.keys()].join(', ')}.`);
    }
    const minute = Math.floor(now().getTime() / 60_000);
    const price = priceAt(symbol, minute, range);
    const last_updated = new Date(minute * 60_000).toISOString();
    const text = `📈 Stock: ${symbol}\n💰 Price: $${price.toFixed(2)} USD\n⏰ Last Updated: ${last_updated}\n\n⚠️ Note: ${NOTE}`;
    return { text, structured: { symbol, price, currency: 'USD' as const, last_updated, note: NOTE } };
  },
});

/** Looks random, but is the same within a minute on every replica. */
function priceAt(symbol: string, minute: number, [price, below, above]: readonly [number, number, number]): number {
  const fraction = createHash('sha256').update(`${symbol}:${minute}`).digest().readUInt32BE() / 2 ** 32;
  return Math.round((price - below + fraction * (below + above)) * 100) / 100;
}
