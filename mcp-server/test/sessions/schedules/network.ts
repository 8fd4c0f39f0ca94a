/**
 * Owns the ways between the replicas and what they share, in a model run: every call takes effect when the schedule says so
 * and is answered when it says so, and either may fail; messages of the bus come late, or to nobody.
 */
import { type MessageBus, type SessionStorage, StorageUnavailable } from '../../../src/sessions/ports.ts';
import type { Records } from './records.ts';
import type { Fate, Schedule } from './schedule.ts';

/** How a replica is. */
export interface Condition {
  readonly name: string;
  /** It can't reach what is shared. */
  cut: boolean;
  dead: boolean;
}

export class Network {
  readonly #schedule: Schedule;
  /** Nobody can reach what is shared. */
  away = false;
  /** Things that went wrong. */
  faults = 0;
  /** Who sends at this very moment. */
  #sender = '';

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  /** Storage as one replica has it. */
  storage(member: Condition, { store, log, changes, busOf }: Records): SessionStorage {
    const over = this.#over(member);
    return {
      store: { ...over(store), pace: store.pace, list: store.list },
      log: over(log),
      changes: over(changes),
      bus: this.#bus(member, busOf(member.name)),
    };
  }

  reaches(member: Condition): boolean {
    return !this.away && !member.cut && !member.dead;
  }

  #over =
    (member: Condition) =>
    <T extends object>(port: T): T => {
      const call = (work: unknown) =>
        typeof work === 'function' ? (...args: unknown[]) => this.#call(member, () => work(...args)) : work;
      return Object.fromEntries(Object.entries(port).map(([name, work]) => [name, call(work)])) as T;
    };

  #call<T>(member: Condition, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const refuse = () => {
        this.faults += 1;
        reject(new StorageUnavailable('the model says so'));
      };
      this.#schedule.add(`${member.name} asks`, async (fate: Fate) => {
        // What a replica has sent before its death arrives; what it would have heard does not.
        const sent = fate !== 'refused' && !this.away && !member.cut;
        const arrives = sent && fate !== 'late';
        if (sent && !arrives) this.#schedule.add(`${member.name} asked`, () => work().then(() => {}));
        const answer = arrives ? await work() : undefined;
        this.#schedule.add(`${member.name} hears`, () => {
          if (member.dead) return;
          if (arrives && fate === 'done' && this.reaches(member)) resolve(answer as T);
          else refuse();
        });
      });
    });
  }

  #bus(member: Condition, bus: MessageBus): MessageBus {
    const { send, broadcast, isAlive, isListening } = this.#over(member)({
      send: this.#as(member, bus.send),
      broadcast: this.#as(member, bus.broadcast),
      isAlive: bus.isAlive,
      isListening: bus.isListening,
    });
    return {
      replica: bus.replica,
      send,
      broadcast,
      isAlive,
      isListening,
      subscribe: (onMessage, onReturn) => {
        bus.subscribe((message) => {
          this.#schedule.add(`${this.#sender} to ${member.name}`, () => {
            if (this.reaches(member)) onMessage(message);
            else this.faults += 1;
          });
        }, onReturn);
      },
      close: bus.close,
    };
  }

  #as<A extends readonly unknown[], R>(member: Condition, work: (...args: A) => Promise<R>) {
    return (...args: A): Promise<R> => {
      this.#sender = member.name;
      return work(...args);
    };
  }
}
