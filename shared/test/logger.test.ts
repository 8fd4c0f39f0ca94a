/** Proves what the log has and what never reaches it, and that plain lines have the form of pino's. */
import { spawnSync } from 'node:child_process';
import { createLogger, plainLines, REDACTED } from '@mcp-oauth/shared/logger';
import { describe, expect, it } from 'vitest';

describe('the logger', () => {
  it('the logger redacts secrets and writes each entry as one line of JSON', () => {
    const lines: string[] = [];
    const log = createLogger('sample', 'info', { write: (line) => lines.push(line) });
    for (const key of REDACTED)
      log.info({
        [key]: 'canary',
        nested: { [key]: 'canary' },
        deep: { er: { [key]: 'canary' } },
        list: [{ [key]: 'canary' }],
      });
    log.error({ err: Object.assign(new Error('sample'), { token: 'canary', cause: new Error('why') }) }, 'failed');
    expect(lines).toHaveLength(REDACTED.length + 1);
    expect(lines.join('')).not.toContain('canary');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ service: 'sample', level: 'info' });
  });

  it.each(['plain', '"quoted" \\ \n', 'é\u{1f600}', '\u009b31m', '\ud83d', '', 'x'.repeat(2_000)])(
    'a line without the way through pino is the same as the one that pino writes, with the text %j',
    (text) => {
      const lines: string[] = [];
      const log = createLogger('sample', 'info', {
        // As it is encoded: half of a surrogate pair becomes U+FFFD.
        write: (line) =>
          lines.push(
            Buffer.from(line)
              .toString()
              .replace(/"time":"[^"]+"/, ''),
          ),
      });
      const members = { request: text, status: 200, ms: 0.3, absent: undefined };
      log.info({ ...members, more: text }, 'request');
      plainLines(log, 'request')(members, { more: text });
      expect(lines[1]).toBe(lines[0]);
    },
  );

  it('a line without the way through pino is left out below the level of the log', () => {
    const lines: string[] = [];
    plainLines(createLogger('sample', 'warn', { write: (line) => lines.push(line) }), 'request')({ request: '1' });
    expect(lines).toEqual([]);
  });

  it.each([null, undefined, 'secret', 7, Symbol('secret'), {}, []])(
    'the logger accepts %s in place of an error',
    (err) => {
      const lines: string[] = [];
      const log = createLogger('sample', 'info', { write: (line) => lines.push(line) });
      log.error({ err }, 'failed');
      expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'error', msg: 'failed' });
      expect(lines.join()).not.toContain('secret');
    },
  );

  const OBEYED = [
    '\u007f',
    '\u0085',
    '\u009b31m',
    '\u2028',
    '\u2029',
    '\u202e',
    '\u2066',
    '\u200b',
    '\ufeff',
    '\u{e0041}',
  ];

  it('CWE-150 control characters that a terminal obeys are escaped wherever they stand, and none is lost', () => {
    const lines: string[] = [];
    const log = createLogger('sample', 'info', { write: (line) => lines.push(line) });
    for (const text of OBEYED) {
      const members = { [`name${text}`]: { deep: [text] }, err: new Error(text), more: 'é😀' };
      log.child({ bound: text }).info(members, `event${text}`);
      expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
        bound: text,
        msg: `event${text}`,
        [`name${text}`]: { deep: [text] },
        err: { message: text },
        more: 'é😀',
      });
    }
    for (const line of lines) expect(line.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });

  it('CWE-150 standard output is as clean, for the first line as for buffered lines', () => {
    const program = `
      import { createLogger } from '@mcp-oauth/shared/logger';
      const log = createLogger('sample', 'info');
      for (const text of ${JSON.stringify([...OBEYED, ...OBEYED, 'é'])}) { log.info({ text, long: 'x'.repeat(3000) }, 'line'); log.info('next'); }`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.join('')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    const texts = lines.map((line) => JSON.parse(line) as { text?: string; msg: string });
    expect(texts.map(({ text, msg }) => text ?? msg)).toEqual(
      [...OBEYED, ...OBEYED, 'é'].flatMap((text) => [text, 'next']),
    );
  });

  it('RFC 8259 §8.2 a log line has no lone surrogate, for which strict readers refuse the whole line', () => {
    const told = "{ half: 'a\\ud83d', ['\\ude00']: '\\u{1f600}', err: new Error('b\\ud83d') }, 'said \\udfff'";
    const program = `
      import { createLogger } from '@mcp-oauth/shared/logger';
      const log = createLogger('sample', 'info');
      for (let n = 0; n < 3; n += 1) log.info(${told});`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    });
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      expect(line).not.toMatch(/\\ud/);
      const expected = { half: 'a\ufffd', '\ufffd': '\u{1f600}', err: { message: 'b\ufffd' }, msg: 'said \ufffd' };
      expect(JSON.parse(line)).toMatchObject(expected);
    }
  });

  it('the logger includes the system code of an error', () => {
    const lines: string[] = [];
    const log = createLogger('sample', 'info', { write: (line) => lines.push(line) });
    log.error({ err: Object.assign(new Error('no space'), { code: 'ENOSPC' }) }, 'failed');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ err: { message: 'no space', errno: 'ENOSPC' } });
  });
});

it('twenty loggers of one process write their lines in order, and add listeners for one', () => {
  const program = `
    import { createLogger } from '@mcp-oauth/shared/logger';
    const counts = () => [process.stdout.listenerCount('error'), process.listenerCount('exit')];
    createLogger('first', 'info');
    const before = counts();
    for (let n = 0; n < 20; n += 1) createLogger('sample', 'info').info({ n }, 'line');
    createLogger('last', 'info').info({ before, after: counts() }, 'counted');`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ n }) => n)).toEqual([...Array(20).keys(), undefined]);
  expect(lines.at(-1).after).toEqual(lines.at(-1).before);
  expect(stderr).not.toContain('MaxListenersExceededWarning');
});

it('the logger writes every line whole and in order, however many and long, and reports when all are written', () => {
  const program = `
    import { createLogger, logWritten } from '@mcp-oauth/shared/logger';
    const log = createLogger('sample', 'info');
    for (let n = 0; n < 3_000; n += 1) log.info({ n, ...(n % 1_000 === 500 && { long: 'ü€😀'.repeat(10_000) }) }, 'line');
    await logWritten(log);
    process.exit(0);`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    maxBuffer: 10_000_000,
  });
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ n }) => n)).toEqual(Array.from({ length: 3_000 }, (_, n) => n));
  expect(lines[500].long).toBe('ü€😀'.repeat(10_000));
});
