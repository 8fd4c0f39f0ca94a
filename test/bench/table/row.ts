/**
 * Owns a row of the bench: the same requests to several servers in alternation, so that other load on the machine
 * affects all of them, and the medians of what they cost.
 */
import { residentMiB } from '../program.ts';
import { type Cost, type Listener, press, type Speaker, until } from '../wire.ts';

export interface Entrant {
  readonly name: string;
  /** The processes of the server; the connections are spread over them. */
  readonly servers: readonly Listener[];
  /** What each connection says, made anew for each round. */
  begin(): Promise<readonly Speaker[]>;
  /** Text that its answers contain. */
  readonly expected: string;
}

export interface Row {
  readonly name: string;
  readonly own: Entrant;
  /** The goals compare `own` with it. */
  readonly reference: Entrant;
  /** Servers that are shown beside the two. */
  readonly others: readonly Entrant[];
  /** Quotient of the reference's processor time and our own. */
  readonly goal: { readonly atLeast: number; readonly aim: number };
}

export interface Figures extends Omit<Cost, 'requests'> {
  readonly name: string;
  /** MiB of resident memory of all its processes after the last round. */
  readonly rss: number;
}

export interface Pace {
  readonly rounds: number;
  /** Seconds of load on one server in one round. */
  readonly seconds: number;
}

export const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

async function round({ servers, begin, expected }: Entrant, seconds: number): Promise<Cost> {
  const requests = await begin();
  const end = performance.now() + seconds * 1000;
  return press({ servers, speakers: requests.map((request) => until(end, request)), expected });
}

/** Rounds that are not counted: until then the compiler still works on what the server runs, and a larger program takes longer. */
const WARM_UP = 3;

/** @returns the figures of the entrants in their order */
export async function alternate(entrants: readonly Entrant[], { rounds, seconds }: Pace): Promise<Figures[]> {
  const costs = entrants.map((): Cost[] => []);
  for (let turn = 0; turn < WARM_UP + rounds; turn += 1) {
    const order = [...entrants.keys()];
    for (const n of turn % 2 === 0 ? order : order.reverse()) {
      const cost = await round(entrants[n] as Entrant, seconds);
      if (turn >= WARM_UP) costs[n]?.push(cost);
    }
  }
  return entrants.map(({ name, servers }, n) => {
    const of = (figure: keyof Cost) => median(costs[n]?.map((cost) => cost[figure]) ?? []);
    const rss = servers.reduce((sum, { pid }) => sum + residentMiB(pid), 0);
    return { name, perSecond: of('perSecond'), cpu: of('cpu'), p50: of('p50'), p99: of('p99'), rss };
  });
}
