/** Proves that a question stays visible and a secret does not, and that the end of the input ends the questions. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { terminalOn } from '../../src/cli/configure/ask.ts';

function terminal() {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let shown = '';
  output.on('data', (chunk) => {
    shown += chunk;
  });
  return { input, terminal: terminalOn(input, output), shown: () => shown };
}

/** Moves to the first column and clears the rest: whatever was written before disappears. */
const CLEARED = '\u001b[1G\u001b[0J';

describe('the questions at a terminal', () => {
  it('a question is still there when somebody answers, and an empty line is the value in brackets', async () => {
    const { input, terminal: it, shown } = terminal();
    const asked = it.ask('CLIENT_ID', { usual: 'before' });
    input.write('mcp\r');
    expect(await asked).toBe('mcp');
    expect(shown().split(CLEARED).at(-1)).toMatch(/^CLIENT_ID \[before\]: [\s\S]*mcp/);
    const again = it.ask('CLIENT_ID', { usual: 'before' });
    input.write('\r');
    expect(await again).toBe('before');
    it.close();
  });

  it('CWE-549 a secret is not shown, but its question is', async () => {
    const { input, terminal: it, shown } = terminal();
    const asked = it.ask('CLIENT_SECRET', { isSecret: true });
    input.write('new-secret\r');
    expect(await asked).toBe('new-secret');
    expect(shown().split(CLEARED).at(-1)).toContain('CLIENT_SECRET: ');
    expect(shown()).not.toContain('new-secret');
    it.close();
  });

  it.each(['\u0003', '\u0004'])('Ctrl-C and Ctrl-D (%j) end the questions without a stack', async (key) => {
    const { input, terminal: it } = terminal();
    const asked = it.ask('ISSUER');
    input.write(key);
    await expect(asked).rejects.toThrow('cancelled: nothing was written');
  });
});
