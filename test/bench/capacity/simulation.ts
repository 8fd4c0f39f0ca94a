/**
 * Owns the simulation of requests that queue at stations, such as a gateway, replicas and Redis. A station works on a
 * request for its measured time and needs a core of its machine meanwhile; stations of one machine share its cores.
 */
import { Timeline } from './timeline.ts';

interface Station {
  readonly name: string;
  readonly machine: string;
  /** Number of requests that it works on at the same time: 1 for a process with one thread. */
  readonly workers: number;
}

interface Visit {
  readonly station: string;
  /** Mean time of work. */
  readonly microseconds: number;
}

export interface Model {
  /** Number of cores of each machine. */
  readonly machines: Readonly<Record<string, number>>;
  readonly stations: readonly Station[];
  /** The visits of a request, in order. Requests take the routes in turn. */
  readonly routes: readonly (readonly Visit[])[];
}

/** Clients that send their next request after the last answer, or requests that arrive at random times. */
type Load = { readonly clients: number } | { readonly perSecond: number };

export interface Run {
  readonly load: Load;
  /** Simulated seconds. The first tenth is not counted. */
  readonly seconds: number;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
}

export interface Outcome {
  readonly perSecond: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  /** Share of the time in which each station worked, as a part of its workers. */
  readonly busy: Readonly<Record<string, number>>;
}

interface Waiting {
  readonly work: number;
  readonly order: number;
  readonly done: () => void;
}

const SECOND = 1e6;

/** Times of work vary as much as those of a random arrival: the exponential distribution. */
const around = (mean: number, random: () => number): number => -mean * Math.log(1 - random());

class Machine {
  readonly #timeline: Timeline;
  readonly #stations: readonly { readonly station: Station; readonly queue: Waiting[]; working: number }[];
  readonly #worked = new Map<string, number>();
  #freeCores: number;
  #order = 0;

  constructor(timeline: Timeline, cores: number, stations: readonly Station[]) {
    this.#timeline = timeline;
    this.#freeCores = cores;
    this.#stations = stations.map((station) => ({ station, queue: [], working: 0 }));
  }

  enter(name: string, work: number, done: () => void): void {
    this.#order += 1;
    this.#stations.find(({ station }) => station.name === name)?.queue.push({ work, order: this.#order, done });
    this.#dispatch();
  }

  busy(since: ReadonlyMap<string, number>, duration: number): Record<string, number> {
    const share = ({ name, workers }: Station) =>
      ((this.#worked.get(name) ?? 0) - (since.get(name) ?? 0)) / (duration * workers);
    return Object.fromEntries(this.#stations.map(({ station }) => [station.name, share(station)]));
  }

  get worked(): ReadonlyMap<string, number> {
    return new Map(this.#worked);
  }

  /** A free core goes to the request that has waited longest, of those whose station has a free worker. */
  #dispatch(): void {
    while (this.#freeCores > 0) {
      const ready = this.#stations.filter(
        ({ station, queue, working }) => queue.length > 0 && working < station.workers,
      );
      const oldest = ready.toSorted((a, b) => (a.queue[0]?.order ?? 0) - (b.queue[0]?.order ?? 0))[0];
      const next = oldest?.queue.shift();
      if (!oldest || !next) return;
      oldest.working += 1;
      this.#freeCores -= 1;
      this.#timeline.after(next.work, () => {
        oldest.working -= 1;
        this.#freeCores += 1;
        this.#worked.set(oldest.station.name, (this.#worked.get(oldest.station.name) ?? 0) + next.work);
        next.done();
        this.#dispatch();
      });
    }
  }
}

export function simulate({ machines, stations, routes }: Model, { load, seconds, random }: Run): Outcome {
  const timeline = new Timeline();
  const byName = new Map(
    Object.entries(machines).map(([name, cores]) => [
      name,
      new Machine(
        timeline,
        cores,
        stations.filter(({ machine }) => machine === name),
      ),
    ]),
  );
  const machineOf = new Map(stations.map(({ name, machine }) => [name, byName.get(machine)]));
  const taken: number[] = [];
  let isCounting = false;
  let sent = 0;
  const send = (onAnswer: () => void): void => {
    const route = routes[sent % routes.length] ?? [];
    sent += 1;
    const began = timeline.now;
    const visit = (index: number): void => {
      const next = route[index];
      if (next)
        machineOf.get(next.station)?.enter(next.station, around(next.microseconds, random), () => visit(index + 1));
      else {
        if (isCounting) taken.push(timeline.now - began);
        onAnswer();
      }
    };
    visit(0);
  };
  if ('clients' in load) {
    const goOn = (): void => send(goOn);
    for (let client = 0; client < load.clients; client += 1) goOn();
  } else {
    const arrive = (): void => {
      send(() => {});
      timeline.after(around(SECOND / load.perSecond, random), arrive);
    };
    arrive();
  }
  const warmUp = (seconds * SECOND) / 10;
  timeline.runUntil(warmUp);
  isCounting = true;
  const before = [...byName.values()].map((machine) => [machine, machine.worked] as const);
  timeline.runUntil(seconds * SECOND);
  const duration = seconds * SECOND - warmUp;
  taken.sort((a, b) => a - b);
  const at = (share: number) => (taken[Math.floor(taken.length * share)] ?? Number.NaN) / 1000;
  return {
    perSecond: (taken.length / duration) * SECOND,
    p50Milliseconds: at(0.5),
    p99Milliseconds: at(0.99),
    busy: Object.assign({}, ...before.map(([machine, worked]) => machine.busy(worked, duration))),
  };
}

/** The same numbers for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
