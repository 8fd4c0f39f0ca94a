/**
 * Owns the connections between the replicas and their shared storage in a model run: the schedule decides when a call
 * takes effect and when it is answered, and either may fail; messages of the bus arrive late or never.
 */
import { type MessageBus, type SessionStorage, type Soon, StorageUnavailable } from '../../../src/sessions/ports.ts';
import type { Records } from './records.ts';
import type { Fate, Schedule } from './schedule.ts';

/** The state of a replica. */
export interface Condition {
  readonly name: string;
  /** The replica cannot reach the shared storage. */
  cut: boolean;
  dead: boolean;
}

export class Network {
  readonly #schedule: Schedule;
  /** No replica can reach the shared storage. */
  away = false;
  /** Failures so far. */
  faults = 0;
  /** The replica that is sending at this moment. */
  #sender = '';

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  /** The storage as one replica sees it. */
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

  #call<T>(member: Condition, work: () => Soon<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const refuse = () => {
        this.faults += 1;
        reject(new StorageUnavailable('the model says so'));
      };
      this.#schedule.add(`${member.name} asks`, async (fate: Fate) => {
        // Messages that a replica sent before its death still arrive; messages to it do not.
        const sent = fate !== 'refused' && !this.away && !member.cut;
        const arrives = sent && fate !== 'late';
        if (sent && !arrives) this.#schedule.add(`${member.name} asked`, async () => void (await work()));
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
