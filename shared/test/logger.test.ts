import { createLogger, REDACTED } from '@mcp-oauth/shared/logger';
import { describe, expect, it } from 'vitest';

describe('log', () => {
  it('cuts secrets out of what it is given, one line of JSON each', () => {
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

  it('tells the system code of an error', () => {
    const lines: string[] = [];
    const log = createLogger('sample', 'info', { write: (line) => lines.push(line) });
    log.error({ err: Object.assign(new Error('no space'), { code: 'ENOSPC' }) }, 'failed');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ err: { message: 'no space', errno: 'ENOSPC' } });
  });
});
