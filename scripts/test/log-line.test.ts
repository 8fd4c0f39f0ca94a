/** Owns the proof that a log line at a terminal is one line of text, whatever somebody got into the log. */
import { describe, expect, it } from 'vitest';
import { readable } from '../log-line.ts';

const line = (entry: object) => JSON.stringify({ level: 'info', time: '2026-01-01T12:00:01.000Z', ...entry });

describe('a log line at a terminal', () => {
  it('has time, level, event and fields; what is no log object stays as it is', () => {
    expect(readable(line({ msg: 'ready', url: 'http://localhost:8080', port: 8080 }))).toBe(
      '12:00:01 info  ready url=http://localhost:8080 port=8080',
    );
    for (const text of ['plain', '{"broken']) expect(readable(text)).toBe(text);
  });

  it('CWE-117, CWE-150 neither forges another line nor steers the terminal', () => {
    const reason = 'denied\n12:00:02 info  ready\r\u001b[2J\u009b2J\u007f\u202e';
    const shown = readable(line({ msg: 'upstream\u001b]0;x\u0007', reason, err: { message: '\u009b2J' } }));
    expect(shown).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(shown).toContain('reason=denied\\u000a12:00:02');
  });
});
