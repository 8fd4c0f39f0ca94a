/** Proves that no text of a stranger breaks the line of an audit entry, and that no altered line verifies. */
import { randomBytes } from 'node:crypto';
import { chained, chainKey, chainMac, linkOf } from '@mcp-oauth/shared/audit/chain';
import { textOf } from '@mcp-oauth/shared/audit/entry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { oddText } from './values.ts';

const key = chainKey(randomBytes(32));
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_130);
const numRuns = Number(process.env.FUZZ_COUNT ?? 20_000) / 2;
const AT = '2026-11-30T10:15:02.113Z';

const optional = (text: fc.Arbitrary<string>) => fc.option(text, { nil: undefined });
const entries = fc.record({
  event: fc.constant('tool.called' as const),
  outcome: fc.constant('ok' as const),
  who: optional(oddText),
  client: optional(oddText),
  reason: optional(oddText),
  details: fc.dictionary(oddText, fc.oneof(oddText, fc.double(), fc.boolean(), fc.array(oddText))),
});

const lineOf = (entry: Parameters<typeof textOf>[0]): string =>
  chained(textOf(entry, AT), { writer: 'fuzz-1', n: 6, mac: '' }, chainMac(key)).line;

describe('the line of an audit entry', () => {
  it('any text gives one line of JSON that verifies, of bounded length, without control characters', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const line = lineOf(entry);
        expect(line).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*\n$/u);
        expect(line.isWellFormed()).toBe(true);
        expect(line.length).toBeLessThan(1_000_000);
        expect(JSON.parse(line)).toMatchObject({ event: 'tool.called', at: AT, outcome: 'ok', writer: 'fuzz-1', n: 7 });
        expect(linkOf(line.trimEnd(), [key])).toMatchObject({ writer: 'fuzz-1', n: 7, isGenuine: true });
      }),
      { seed: SEED, numRuns },
    );
  });

  it('a line that differs in one character never verifies', () => {
    const change = fc.record({ entry: entries, at: fc.nat(), by: fc.integer({ min: 1, max: 94 }) });
    fc.assert(
      fc.property(change, ({ entry, at, by }) => {
        const line = lineOf(entry).trimEnd();
        const index = at % line.length;
        const other = String.fromCharCode(32 + ((line.charCodeAt(index) - 32 + by) % 95));
        const altered = line.slice(0, index) + other + line.slice(index + 1);
        if (altered !== line) expect(linkOf(altered, [key])?.isGenuine ?? false).toBe(false);
      }),
      { seed: SEED, numRuns },
    );
  });
});
