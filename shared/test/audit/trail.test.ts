/** Proves that the trail never blocks a caller, counts what it loses, and that every alteration of its entries is found. */
import { randomBytes } from 'node:crypto';
import { chainKey } from '@mcp-oauth/shared/audit/chain';
import type { AuditEntry } from '@mcp-oauth/shared/audit/entry';
import { entriesOf } from '@mcp-oauth/shared/audit/reading/entries';
import type { Line } from '@mcp-oauth/shared/audit/reading/source';
import { verify } from '@mcp-oauth/shared/audit/reading/verify';
import type { Sink } from '@mcp-oauth/shared/audit/sink';
import { createTrail, type TrailOptions } from '@mcp-oauth/shared/audit/trail';
import { createLogger } from '@mcp-oauth/shared/logger';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it, vi } from 'vitest';

const key = chainKey(randomBytes(32));
const PACE = { batch: 1, retry: 5, head: 3_600_000, close: 1_000 };

/** A sink in memory that may be away. */
class MemorySink implements Sink {
  readonly lines: string[] = [];
  away = false;
  attempts = 0;

  async write(lines: readonly string[]): Promise<void> {
    this.attempts += 1;
    if (this.away) throw new Error('no space left');
    this.lines.push(...lines);
  }

  async close(): Promise<void> {}
}

function start(options: Partial<TrailOptions> = {}) {
  const sink = new MemorySink();
  const logged: Record<string, unknown>[] = [];
  const log = createLogger('test', 'info', { write: (line) => logged.push(JSON.parse(line)) });
  const clock = new FakeClock();
  const about = { service: 'test' };
  const trail = createTrail({ sink, key, writer: 'test-1', about, clock, log, pace: PACE, ...options });
  return { sink, logged, clock, ...trail };
}

const call: AuditEntry = { event: 'tool.called', outcome: 'ok', who: 'ada', details: { tool: 'echo' } };
const parsed = (lines: readonly string[]) => lines.map((line) => JSON.parse(line));
const judged = (lines: readonly string[], source = 'file', keys = [key]) => verify(linesOf(lines, source), keys);

async function* linesOf(lines: readonly string[], source: string): AsyncGenerator<Line> {
  for (const [index, text] of lines.entries()) yield { text: text.trimEnd(), source, place: `line ${index + 1}` };
}

/** The lines of a process that called a tool a few times and ended. */
async function written(count = 8, writer = 'test-1') {
  const trail = start({ writer });
  for (let n = 0; n < count; n += 1) trail.audit({ ...call, reference: `request-${n}` });
  await trail.close();
  return { lines: trail.sink.lines, logged: trail.logged };
}

describe('the trail of a process', () => {
  it('the entries have a number each, in their order, between a first and a last entry', async () => {
    const { lines } = await written(2);
    expect(parsed(lines)).toEqual([
      expect.objectContaining({ event: 'audit.started', n: 1, prev: '' }),
      expect.objectContaining({ event: 'tool.called', reference: 'request-0', n: 2 }),
      expect.objectContaining({ event: 'tool.called', reference: 'request-1', n: 3 }),
      expect.objectContaining({ event: 'audit.ended', n: 4 }),
    ]);
    expect(await judged(lines)).toMatchObject({
      problems: [],
      entries: 4,
      chains: [{ first: 1, last: 4, ended: true }],
    });
  });

  it('a sink that is away blocks nobody, is logged once, and the entry about the loss has the count', async () => {
    const trail = start();
    trail.sink.away = true;
    for (let n = 0; n < 20_010; n += 1) trail.audit(call);
    await vi.waitFor(() => expect(trail.sink.attempts).toBeGreaterThan(2), { timeout: 60_000 });
    expect(trail.counts.lost).toBe(11);
    trail.sink.away = false;
    await trail.close();
    const told = trail.logged.filter(({ msg }) => String(msg).startsWith('audit entries'));
    expect(told.map(({ msg }) => msg)).toEqual(['audit entries can’t be written', 'audit entries are written again']);
    expect(parsed(trail.sink.lines).filter(({ event }) => event === 'audit.lost')).toEqual([
      expect.objectContaining({ details: { count: 11, since: '2026-01-01T00:00:00.000Z' } }),
    ]);
    expect(trail.counts.ok).toBe(trail.sink.lines.length);
    expect((await judged(trail.sink.lines)).problems).toEqual([]);
  });

  it('a process that ends while the sink is away says how many entries are lost', async () => {
    const trail = start({ pace: { ...PACE, close: 20 } });
    trail.sink.away = true;
    trail.audit(call);
    await trail.close();
    expect(trail.logged.at(-1)).toMatchObject({ msg: 'audit entries are lost at the end', lost: 3 });
  });

  it('a sink that never answers does not keep a process from ending', async () => {
    const sink: Sink = { write: () => new Promise(() => {}), close: async () => {} };
    await start({ sink, pace: { ...PACE, close: 20 } }).close();
  });

  it('strangers cause a limited number of entries a minute, and the rest is counted', async () => {
    const trail = start();
    for (let n = 0; n < 1_000; n += 1) trail.audit({ event: 'access.refused', outcome: 'refused' });
    for (let n = 0; n < 400; n += 1) trail.audit(call);
    trail.clock.advance(61);
    trail.audit({ event: 'access.refused', outcome: 'refused' });
    await trail.close();
    const events = Map.groupBy(parsed(trail.sink.lines), ({ event }) => event);
    expect(events.get('access.refused')).toHaveLength(301);
    expect(events.get('tool.called')).toHaveLength(400);
    expect(events.get('audit.limited')).toEqual([
      expect.objectContaining({ details: { event: 'access.refused', count: 700 } }),
    ]);
    expect(trail.counts.limited).toBe(700);
  });

  it('strangers leave room for the refusals of a known person', async () => {
    const trail = start();
    for (let n = 0; n < 1_000; n += 1) trail.audit({ event: 'access.refused', outcome: 'refused' });
    trail.audit({ event: 'access.refused', outcome: 'refused', who: 'ada', reason: 'revoked' });
    await trail.close();
    expect(parsed(trail.sink.lines).filter(({ who }) => who === 'ada')).toHaveLength(1);
  });

  it('CWE-117: texts of strangers are cut, well-formed, and control no terminal', async () => {
    const trail = start();
    const odd = [
      '\u0000\n\r\u001b[2J',
      '\u009b1m\u202e',
      `${'x'.repeat(999)}😀`,
      '\ud800',
      '","mac":"',
      'é'.repeat(1e6),
    ];
    for (const text of odd) trail.audit({ ...call, who: text, client: text, details: { [text]: text, list: [text] } });
    await trail.close();
    for (const line of trail.sink.lines) {
      expect(line).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*\n$/u);
      expect(line.length).toBeLessThan(30_000);
      expect(line.isWellFormed()).toBe(true);
      expect(line).not.toMatch(/\\ud[89a-f]/);
      expect(() => JSON.parse(line)).not.toThrow();
    }
    expect(parsed(trail.sink.lines).map(({ who }) => who)).toEqual([
      undefined, '\u0000\n\r\u001b[2J', '\u009b1m\u202e', `${'x'.repeat(999)}\ufffd…`, '\ufffd', '","mac":"', `${'é'.repeat(1_000)}…`, undefined,
    ]); // biome-ignore format: one list
    expect((await judged(trail.sink.lines)).problems).toEqual([]);
  });

  it('an entry whose members throw is lost, and the caller notices nothing', async () => {
    const trail = start();
    const details = Object.defineProperty({}, 'tool', { enumerable: true, get: () => { throw new Error('no'); } }); // biome-ignore format: one line
    expect(() => trail.audit({ ...call, details })).not.toThrow();
    expect(trail.counts.lost).toBe(1);
    await trail.close();
  });
});

describe('the verification of a trail', () => {
  it('an altered entry is found, and its neighbours are still good', async () => {
    const { lines } = await written();
    const altered = lines.map((line, index) => (index === 3 ? line.replace('ada', 'eve') : line));
    const { problems, entries } = await judged(altered);
    expect(problems).toEqual([{ kind: 'altered', writer: 'test-1', message: 'entry 4, line 4 of file' }]);
    expect(entries).toBe(9);
  });

  it('an entry that somebody added is found', async () => {
    const { lines } = await written();
    const forged = String(lines[3]).replace('"n":4', '"n":99').replace('ada', 'eve');
    const { problems } = await judged([...lines, forged]);
    expect(problems).toEqual([
      { kind: 'forged', writer: 'test-1', message: 'line 11 of file, which calls itself entry 99' },
    ]);
  });

  it('removed entries are found, and which ones', async () => {
    const { lines } = await written();
    expect((await judged(lines.toSpliced(3, 2))).problems).toEqual([
      { kind: 'removed', writer: 'test-1', message: 'entries 4 to 5 before line 4 of file' },
    ]);
  });

  it('entries in another order are found', async () => {
    const { lines } = await written();
    const [moved = ''] = lines.splice(2, 1);
    expect((await judged(lines.toSpliced(5, 0, moved))).problems).toEqual([
      { kind: 'reordered', writer: 'test-1', message: 'entry 3, line 6 of file, is after a later one' },
    ]);
  });

  it('a line that was cut in the middle is found', async () => {
    const { lines } = await written();
    const { problems } = await judged(lines.map((line, index) => (index === 4 ? line.slice(0, 60) : line)));
    expect(problems.map(({ kind }) => kind)).toEqual(['altered', 'removed']);
  });

  it('a cut end is found by the head in the log, and a removed chain too', async () => {
    const { lines, logged } = await written();
    const log = logged.map((line) => JSON.stringify(line));
    expect((await judged([...log, ...lines])).problems).toEqual([]);
    expect((await judged([...log, ...lines.slice(0, -2)])).problems).toEqual([
      { kind: 'cut', writer: 'test-1', message: 'entries 9 to 10 at the end, by the head in the log' },
    ]);
    expect((await judged(log)).problems.map(({ kind }) => kind)).toEqual(['cut']);
    expect((await judged(lines.slice(0, -2))).chains).toEqual([expect.objectContaining({ last: 8, ended: false })]);
  });

  it('a chain that is older than the whole trail was dropped, and not cut', async () => {
    const clock = new FakeClock();
    const [older, newer] = [start({ clock, writer: 'old-1' }), start({ clock, writer: 'new-1' })];
    older.audit(call);
    await older.close();
    const heads = older.logged.map((line) => JSON.stringify({ ...line, time: '2026-01-01T00:00:00.000Z' }));
    clock.advance(86_400);
    newer.audit(call);
    await newer.close();
    const left = newer.sink.lines.slice(1);
    expect((await judged([...heads, ...left])).problems).toEqual([]);
    const later = heads.map((line) => line.replace('2026-01-01', '2026-01-03'));
    expect((await judged([...later, ...left])).problems.map(({ kind }) => kind)).toEqual(['cut']);
  });

  it('each entry is read once, in whatever order the files come', async () => {
    const { lines } = await written();
    async function* rotated() {
      yield* linesOf(lines.slice(5), 'new');
      yield* linesOf(lines.slice(0, 5), 'old');
      yield* linesOf(lines.slice(3, 7), 'copy');
    }
    const doubtful = { count: 0 };
    const found: string[] = [];
    for await (const { text } of entriesOf(rotated(), [key], doubtful)) found.push(text);
    expect(found.toSorted()).toEqual(lines.map((line) => line.trimEnd()).toSorted());
    expect(doubtful.count).toBe(0);
  });

  it('the oldest entries may be gone, and files may come in any order', async () => {
    const { lines } = await written();
    expect(await judged(lines.slice(4))).toMatchObject({ problems: [], chains: [{ first: 5, last: 10 }] });
    async function* rotated() {
      yield* linesOf(lines.slice(5), 'new');
      yield* linesOf(lines.slice(0, 5), 'old');
    }
    expect(await verify(rotated(), [key])).toMatchObject({ problems: [], chains: [{ first: 1, last: 10 }] });
    async function* withGap() {
      yield* linesOf(lines.slice(5), 'new');
      yield* linesOf(lines.slice(0, 4), 'old');
    }
    expect((await verify(withGap(), [key])).problems.map(({ message }) => message)).toEqual([
      'entry 5 before line 1 of new',
    ]);
  });

  it('a batch that was written twice is no problem, and several processes may share a file', async () => {
    const [one, two] = [await written(), await written(3, 'test-2')];
    const mixed = one.lines.flatMap((line, index) => [line, ...two.lines.slice(index, index + 1)]);
    const verdict = await judged([...mixed, ...one.lines.slice(-3)]);
    expect(verdict).toMatchObject({ problems: [], entries: 15, repeated: 3 });
    expect(verdict.chains.map(({ writer }) => writer)).toEqual(['test-1', 'test-2']);
  });

  it('another key fits nothing, and an older key still does', async () => {
    const { lines } = await written();
    const newer = chainKey(randomBytes(32));
    expect((await judged(lines, 'file', [newer])).entries).toBe(0);
    expect((await judged(lines, 'file', [newer, key])).problems).toEqual([]);
  });
});
