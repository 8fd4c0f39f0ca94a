/**
 * Owns how often, with which seed and against what the services are fuzzed: FUZZ_COUNT inputs in all, FUZZ_SEED to have the same
 * ones again, and the rules that hold for every answer: it comes, it is no fault of the server, and the log has no stack.
 */
import { createLogger, type Logger } from '@mcp-oauth/shared/logger';
import fc from 'fast-check';

/** The same by default, so that two runs say the same; `FUZZ_SEED=$RANDOM` finds what is new. */
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_129);
const COUNT = Number(process.env.FUZZ_COUNT ?? 20_000);

/** Inputs that one server gets: what it keeps of them in memory has an end. */
const PER_SERVER = 5_000;

/** Milliseconds: an answer that takes longer is a hang. */
const HANG = 30_000;

/** A log that keeps what must not be in one. */
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

  /** The faults since the last look. */
  faults(): readonly string[] {
    const found = this.#faults;
    this.#faults = [];
    return found;
  }
}

/** What is fuzzed, for as long as one of it lives. */
export interface Target extends AsyncDisposable {
  readonly watched: WatchedLog;
}

export interface Fuzzing<Input, On extends Target> {
  readonly name: string;
  /** Of 20,000. */
  readonly share: number;
  readonly open: () => Promise<On>;
  readonly inputs: fc.Arbitrary<Input>;
  /** @returns the statuses of the answers */
  readonly send: (on: On, input: Input) => Promise<readonly number[]>;
  /** Statuses from 500 on that are documented. */
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

/** Each kind of input has its own, so that no two are the same. */
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
