/** Owns a service as a process whose memory is measured, with the heap size from the manifest for Kubernetes. */
import { existsSync, readFileSync } from 'node:fs';
import { Run } from '../support/stack.ts';

export const hasProc = existsSync('/proc/self/status');
export const NEEDS_PROC = 'needs /proc, as Linux has it';

/** MiB of memory that the manifest for Kubernetes gives to a replica. */
export const CONTAINER = 512;

/** NODE_OPTIONS of that manifest. */
export const NODE_OPTIONS = '--max-old-space-size=256 --max-semi-space-size=8';

export interface Watched extends AsyncDisposable {
  readonly run: Run;
  /** Highest resident memory since the start of the process, in MiB. */
  peak(): number;
  /** The counters of this name that are not zero: values by label. */
  counted(name: string): Promise<Readonly<Record<string, number>>>;
}

export async function watch(program: string, env: NodeJS.ProcessEnv, metricsPort: number): Promise<Watched> {
  const all = { ...env, METRICS_PORT: String(metricsPort), NODE_OPTIONS };
  const run = new Run(all, program);
  await run.says('"msg":"ready"');
  return {
    run,
    peak: () => {
      if (!existsSync(`/proc/${run.pid}/status`)) throw new Error(`it has ended:\n${run.output.slice(-4_000)}`);
      const status = readFileSync(`/proc/${run.pid}/status`, 'utf8');
      return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024);
    },
    counted: async (name) => {
      const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      const lines = [...text.matchAll(new RegExp(`^${name}\\{\\w+="([^"]*)"\\} (\\d+)$`, 'gm'))];
      return Object.fromEntries(
        lines.flatMap(([, label = '', value]) => (Number(value) > 0 ? [[label, Number(value)]] : [])),
      );
    },
    [Symbol.asyncDispose]: async () => {
      await run.stop();
    },
  };
}

/** One line of the figures. */
export const print = (...words: readonly (string | number)[]): void => {
  process.stdout.write(`${words.join(' ')}\n`);
};

export const inWords = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ') || 'none';
