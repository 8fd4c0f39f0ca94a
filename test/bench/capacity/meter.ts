/** Owns what a piece of work costs: processor time of a service, and what Redis did and keeps for it. */
import { operatorOf } from '@mcp-oauth/shared/testing/redis';
import { cpuSeconds } from '../program.ts';

export interface Cost {
  /** Microseconds of the processor for each unit: of the service, and of Redis. */
  readonly service: number;
  readonly redis: number;
  /** Commands that Redis got for each unit, with those inside scripts. */
  readonly commands: number;
  /** Bytes that Redis holds more than before, for each unit. */
  readonly bytes: number;
}

interface Reading {
  readonly service: number;
  readonly redis: number;
  readonly commands: number;
  readonly bytes: number;
}

/** Reads Redis on a connection of its own. */
export class Meter {
  readonly #redis: ReturnType<typeof operatorOf>;
  readonly #pids: readonly number[];

  /** @param pids of the service: of all its replicas */
  constructor(redisUrl: string, pids: readonly number[]) {
    this.#redis = operatorOf(redisUrl);
    this.#pids = pids;
  }

  async #read(): Promise<Reading> {
    const fields = new Map(
      [...(await this.#redis.info('everything')).matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, name, value]) => [
        name,
        value,
      ]),
    );
    const number = (name: string) => Number(fields.get(name));
    return {
      service: this.#pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0),
      redis: number('used_cpu_sys_main_thread') + number('used_cpu_user_main_thread'),
      commands: number('total_commands_processed'),
      bytes: number('used_memory'),
    };
  }

  /** @param work returns the number of units that were done */
  async measure(work: () => Promise<number>): Promise<Cost & { readonly units: number; readonly seconds: number }> {
    const before = await this.#read();
    const began = performance.now();
    const units = await work();
    const seconds = (performance.now() - began) / 1000;
    const after = await this.#read();
    const each = (name: keyof Reading) => (after[name] - before[name]) / units;
    return {
      units,
      seconds,
      service: each('service') * 1e6,
      redis: each('redis') * 1e6,
      commands: each('commands'),
      bytes: each('bytes'),
    };
  }

  /** The commands that clients send for a piece of work, without those inside scripts. */
  async sentDuring(work: () => Promise<unknown>): Promise<string[]> {
    const monitor = await this.#redis.monitor();
    const sent: string[] = [];
    monitor.on('monitor', (_: string, [name = '', ...args]: string[], source: string) => {
      // A replica shows every two seconds that it lives.
      const isHeartbeat = name === 'ping' || args.some((arg) => /:(?:alive:\w+|writable)$/.test(arg));
      if (source !== 'lua' && !isHeartbeat) sent.push(name);
    });
    await work();
    // MONITOR shows the commands in their order: after this one, all of the work are there.
    const mark = `end-${performance.now()}`;
    const shown = new Promise<void>((resolve) => {
      monitor.on('monitor', (_: string, [, text]: string[]) => text === mark && resolve());
    });
    await this.#redis.echo(mark);
    await shown;
    monitor.disconnect();
    return sent.filter((name) => name !== 'echo' && name !== 'info');
  }

  close(): void {
    this.#redis.disconnect();
  }
}
