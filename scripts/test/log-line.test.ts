/**
 * Proves that a log entry is shown at a terminal as one line of text, whatever text an attacker got into the log
 * (CWE-117).
 */
import { describe, expect, it } from 'vitest';
import { readable } from '../log-line.ts';

const line = (entry: object) => JSON.stringify({ level: 'info', time: '2026-01-01T12:00:01.000Z', ...entry });

describe('a log line at a terminal', () => {
  it('a readable line has time, level, event and fields; text that is no log object stays unchanged', () => {
    expect(readable(line({ msg: 'ready', url: 'http://localhost:8080', port: 8080 }))).toBe(
      '12:00:01 info  ready url=http://localhost:8080 port=8080',
    );
    for (const text of ['plain', '{"broken']) expect(readable(text)).toBe(text);
  });

  it('CWE-117, CWE-150 a logged value can neither forge another line nor send control sequences to the terminal', () => {
    const reason = 'denied\n12:00:02 info  ready\r\u001b[2J\u009b2J\u007f\u202e';
    const shown = readable(line({ msg: 'upstream\u001b]0;x\u0007', reason, err: { message: '\u009b2J' } }));
    expect(shown).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(shown).toContain('reason=denied\\u000a12:00:02');
  });

  it('a readable line shows the request id, so that a quoted reference can be searched for', () => {
    const request = '0b9c3f5e-8a51-4bd0-9c0d-1f2e3a4b5c6d';
    expect(readable(line({ request, msg: 'request', status: 200 }))).toBe(
      `12:00:01 info  request request=${request} status=200`,
    );
  });

  it('the stack of an error is shown line by line, with control characters escaped', () => {
    const err = {
      type: 'TypeError',
      message: 'x',
      stack: 'TypeError: x\u2028y\n    at a (b.ts:1:2)\n    at c',
      errno: 'EX',
    };
    expect(
      readable(line({ level: 'error', msg: 'request failed', status: 500, err, request: 'r' })).split('\n'),
    ).toEqual([
      '12:00:01 error request failed request=r status=500 errno=EX',
      '    TypeError: x\\u2028y',
      '        at a (b.ts:1:2)',
      '    at c'.padStart(12),
    ]);
  });

  it.each(['\u0085', '\u2028', '\u2029', '\u202e', '\u2066', '\u200f', '\ufeff', '\u{e0041}', '\t'])(
    'CWE-150 %j is written as its escape code, in fields, names, events and text that is no log object',
    (character) => {
      const units = [...Array(character.length).keys()].map((at) => character.charCodeAt(at).toString(16));
      const code = units.map((unit) => `\\u${unit.padStart(4, '0')}`).join('');
      const shown = readable(line({ msg: `a${character}`, [`b${character}`]: `c${character}`, d: { e: character } }));
      expect(shown).toContain(`a${code} b${code}=c${code} d={"e":"`);
      expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(readable(`text${character}`)).toBe(`text${code}`);
    },
  );
});
