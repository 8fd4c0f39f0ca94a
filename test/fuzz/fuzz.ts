/**
 * Owns how the services are fuzzed: FUZZ_COUNT inputs in all, FUZZ_SEED to repeat a run, and the rules for every
 * answer: there is one, it is not a server error, and the log has no stack.
 */
import { createLogger, type Logger } from '@mcp-oauth/shared/logger';
import fc from 'fast-check';

/** The default seed is fixed, so that two runs agree; `FUZZ_SEED=$RANDOM` finds new inputs. */
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_129);
const COUNT = Number(process.env.FUZZ_COUNT ?? 20_000);

/** Inputs for one server: what it keeps in memory for them is bounded. */
const PER_SERVER = 5_000;

/** Milliseconds: a slower answer counts as a hang. */
const HANG = 30_000;

/** A log that collects the entries which must not occur. */
export class WatchedLog {
  readonly log: Logger;
  #faults: string[] = [];

  constructor(service: string) {
    this.log = createLogger(service, 'debug', {
      write: (line) => {
        if (/"stack":|"level":"(error|fatal)"/.test(line)) this.#faults.push(line.slice(0, 4_000));
      },
    });
  }

  /** The faults since the last call. */
  faults(): readonly string[] {
    const found = this.#faults;
    this.#faults = [];
    return found;
  }
}

/** The fuzzed service, shared while at least one user is left. */
export interface Target extends AsyncDisposable {
  readonly watched: WatchedLog;
}

export interface Fuzzing<Input, On extends Target> {
  readonly name: string;
  /** Of 20,000 inputs. */
  readonly share: number;
  readonly open: () => Promise<On>;
  readonly inputs: fc.Arbitrary<Input>;
  /** @returns the statuses of the answers */
  readonly send: (on: On, input: Input) => Promise<readonly number[]>;
  /** Documented statuses from 500 on. */
  readonly documented?: readonly number[];
}

/** Throws with the smallest input that breaks a rule, its seed and its path. */
export async function fuzz<Input, On extends Target>(fuzzing: Fuzzing<Input, On>): Promise<void> {
  const { name, share, open, inputs, send, documented = [] } = fuzzing;
  const total = Math.ceil((COUNT * share) / 20_000);
  const statuses = new Map<number, number>();
  for (let done = 0; done < total; done += PER_SERVER) {
    await using on = await open();
    const property = fc.asyncProperty(inputs, async (input) => {
      for (const status of await inTime(send(on, input))) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status >= 500 && !documented.includes(status))
          throw new Error(`answered ${status}: ${on.watched.faults()}`);
      }
      const [fault] = on.watched.faults();
      if (fault) throw new Error(`in the log: ${fault}`);
    });
    const numRuns = Math.min(PER_SERVER, total - done);
    await fc.assert(property, { seed: seedOf(name) + done / PER_SERVER, numRuns });
  }
  const counted = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
  process.stdout.write(`fuzz ${name}: ${total} inputs, FUZZ_SEED=${SEED}, answers ${counted.join(', ')}\n`);
}

/** Each kind of input has a seed of its own, so that no two are the same. */
const seedOf = (name: string): number =>
  [...name].reduce((seed, letter) => (seed * 31 + letter.charCodeAt(0)) | 0, SEED);

async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${HANG} ms`)), HANG);
  });
  try {
    return await Promise.race([answer, hang]);
  } finally {
    clearTimeout(timer);
  }
}
