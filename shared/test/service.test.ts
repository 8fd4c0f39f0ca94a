/** Proves how a service process ends: what its parent, its listeners and its own shutdown do to it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';

const MODULE = (path: string) => new URL(`../src/${path}.ts`, import.meta.url).href;

/** A service in a process of its own, with a channel to its parent. @param parts replace members of the service */
function start(parts: string): {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: unknown; output: string }>;
} {
  const program = `
    const { runService } = await import('${MODULE('service')}');
    const { createLogger } = await import('${MODULE('logger')}');
    const service = (log) => ({
      log, url: '', handler: (_, res) => res.end(), listen: { host: '127.0.0.1', port: 0 },
      shutdownTimeout: 0, shutdownLinger: 0, drain: () => {}, close: async () => {},
    });
    await runService('test', process, async () => {
      const one = service(createLogger('test', 'info'));
      return { ...one, ${parts} };
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const output = Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    text(child.stderr as NodeJS.ReadableStream),
  ]);
  const ended = new Promise<{ code: unknown; output: string }>((resolve) => {
    child.once('close', async (code) => resolve({ code, output: (await output).join('') }));
  });
  return { child, ended };
}

describe('the process of a service', () => {
  it('a parent that goes away while the service reports that it is ready ends the service as a signal does', async () => {
    const { ended } = start(`
      log: Object.assign(Object.create(one.log), {
        flush: (done) => {
          if (process.connected) process.disconnect();
          one.log.flush(done);
        },
      })`);
    const { code, output } = await ended;
    expect(output).not.toContain('uncaughtException');
    expect([code, output]).toEqual([0, expect.stringContaining('"signal":"disconnect","msg":"stopping"')]);
  });

  it('an aborted promise that nothing awaits is a warning, and any other failure of one ends the process', async () => {
    const rejecting = (error: string) => {
      const { child, ended } = start(
        `drain: () => void Promise.reject(${error}), close: () => new Promise(setImmediate)`,
      );
      child.once('message', () => child.kill('SIGTERM'));
      return ended;
    };
    const aborted = await rejecting("new DOMException('the client has cancelled', 'AbortError')");
    expect([aborted.code, aborted.output]).toEqual([
      0,
      expect.stringMatching(
        /"level":"warn".*the client has cancelled.*"msg":"the error of a cancelled operation was not handled"/,
      ),
    ]);
    const failed = await rejecting("new Error('broken')");
    expect([failed.code, failed.output]).toEqual([
      1,
      expect.stringMatching(/"level":"fatal".*broken.*"msg":"unhandledRejection"/),
    ]);
  });

  it('a shutdown that fails says why, and ends the process with 1', async () => {
    const { child, ended } = start(`close: async () => { throw new Error('the store is stuck'); }`);
    child.once('message', () => child.kill('SIGTERM'));
    const { code, output } = await ended;
    expect([code, output]).toEqual([
      1,
      expect.stringMatching(/"level":"fatal".*the store is stuck.*"msg":"shutdown failed"/),
    ]);
  });
});
