/** Owns the commands of a model run, as data that fast-check generates and shrinks, and what each of them does. */
import fc from 'fast-check';
import { type Fate, quiet } from './schedule.ts';
import type { Setting, World } from './world.ts';

const at = fc.nat(2);
const which = fc.nat(3);
const noticed = fc.boolean();
const change = fc.constantFrom('tools', 'prompts', 'a', 'b');
const anyFate = fc.constantFrom<Fate>('refused', 'unanswered', 'late');
/** One of so many steps fails. */
const fate = (of: number) =>
  fc.oneof({ arbitrary: fc.constant<Fate>('done'), weight: of - 1 }, { arbitrary: anyFate, weight: 1 });

const STEP = { do: fc.constant('step'), pick: fc.nat(11) };

const MOVES = {
  step: fc.record({ ...STEP, fate: fate(9) }),
  settle: fc.record({ do: fc.constant('settle') }),
  listen: fc.record({ do: fc.constant('listen'), at, noticed }),
  resume: fc.record({ do: fc.constant('resume'), at, which, noticed }),
  leave: fc.record({ do: fc.constant('leave'), which, noticed }),
  stall: fc.record({ do: fc.constant('stall'), which }),
  call: fc.record({ do: fc.constant('call'), at, says: fc.nat(3), asks: fc.boolean(), batch: fc.boolean() }),
  cancel: fc.record({ do: fc.constant('cancel'), at, which }),
  reply: fc.record({ do: fc.constant('reply'), at, which }),
  say: fc.record({ do: fc.constant('say'), at }),
  change: fc.record({ do: fc.constant('change'), at, change }),
  subscribe: fc.record({ do: fc.constant('subscribe'), at, change: fc.constantFrom('a', 'b') }),
  tick: fc.record({ do: fc.constant('tick'), at }),
  answerForLostReplicas: fc.record({ do: fc.constant('answerForLostReplicas'), at }),
  wait: fc.record({ do: fc.constant('wait'), seconds: fc.nat(11) }),
  stranger: fc.record({ do: fc.constant('stranger'), at, method: fc.constantFrom('GET', 'POST', 'DELETE') }),
  end: fc.record({ do: fc.constant('end'), at }),
  kill: fc.record({ do: fc.constant('kill'), at }),
  cut: fc.record({ do: fc.constant('cut'), at }),
  mend: fc.record({ do: fc.constant('mend'), at }),
  away: fc.record({ do: fc.constant('away') }),
  back: fc.record({ do: fc.constant('back') }),
} as const;

type Arbitraries = typeof MOVES;
type Kind = keyof Arbitraries;
type MoveOf<K extends Kind> = Arbitraries[K] extends fc.Arbitrary<infer M> ? M : never;
type Move = { [K in Kind]: MoveOf<K> }[Kind];

const WEIGHTS: Readonly<Record<Kind, number>> = {
  step: 60,
  settle: 5,
  listen: 6,
  resume: 5,
  leave: 4,
  stall: 1,
  call: 5,
  cancel: 1,
  reply: 3,
  say: 8,
  change: 5,
  subscribe: 2,
  tick: 2,
  answerForLostReplicas: 2,
  wait: 1,
  stranger: 1,
  end: 0.3,
  kill: 1,
  cut: 1,
  mend: 2,
  away: 0.5,
  back: 2,
};

/** The failures of a run: none, single calls, or everything. */
export const WEATHERS = ['calm', 'unsteady', 'stormy'] as const;
export type Weather = (typeof WEATHERS)[number];

const BREAKS: Partial<typeof WEIGHTS> = { kill: 0, cut: 0, away: 0 };
const FEW: Partial<typeof WEIGHTS> = { ...BREAKS, settle: 12, leave: 1, call: 2, cancel: 0, stranger: 0, end: 0.1 };
const WEATHER_WEIGHTS: Readonly<Record<Weather, Partial<typeof WEIGHTS>>> = { calm: BREAKS, unsteady: FEW, stormy: {} };
/** A fault that a later event repairs is visible only in short runs. */
const LENGTHS: Readonly<Record<Weather, number>> = { calm: 80, unsteady: 24, stormy: 80 };
const WEATHER_FATES: Readonly<Record<Weather, fc.Arbitrary<Fate>>> = {
  calm: fc.constant('done'),
  unsteady: fate(4),
  stormy: fate(9),
};

export interface Program {
  readonly setting: Setting;
  readonly moves: readonly Move[];
}

function movesIn(weather: Weather): fc.Arbitrary<Move> {
  const weights = { ...WEIGHTS, ...WEATHER_WEIGHTS[weather] };
  const arbitraries = { ...MOVES, step: fc.record({ ...STEP, fate: WEATHER_FATES[weather] }) };
  const kinds = (Object.keys(MOVES) as Kind[]).filter((kind) => weights[kind] > 0);
  const weighted = kinds.map((kind) => ({
    arbitrary: arbitraries[kind] as fc.Arbitrary<Move>,
    weight: Math.round(weights[kind] * 10),
  }));
  return fc.oneof(...weighted);
}

export const programs = (weather: Weather): fc.Arbitrary<Program> =>
  fc.record({
    setting: fc.record({
      replicas: fc.integer({ min: 2, max: 3 }),
      revision: fc.constantFrom('2025-11-25', '2025-06-18', '2025-03-26'),
      resumes: fc.boolean(),
    }),
    moves: fc.array(movesIn(weather), { maxLength: LENGTHS[weather], size: 'max' }),
  });

type Players = { readonly [K in Kind]: (world: World, move: MoveOf<K>) => void | Promise<void> };

const PLAYERS: Players = {
  step: ({ schedule }, { pick, fate }) => schedule.step(pick, fate),
  settle: (world) => settle(world),
  listen: (world, move) => void world.listen(world.standalone, world.at(move.at), move.noticed),
  resume: (world, { at, which, noticed }) => {
    const open = world.calls.filter(({ done, lastId }) => !done && lastId !== undefined);
    const thread = open[which % open.length];
    if (thread) world.listen(thread, world.at(at), noticed);
  },
  leave: ({ standalone, calls }, { which, noticed }) => {
    const open = [standalone, ...calls].filter(({ connected }) => connected);
    open[which % open.length]?.leave(noticed);
  },
  stall: ({ standalone, calls }, { which }) => {
    const open = [standalone, ...calls].filter(({ connected }) => connected);
    open[which % open.length]?.stall();
  },
  call: (world, { at, says, asks, batch }) => void world.call(world.at(at), { says, asks }, batch),
  cancel: (world, { at, which }) => {
    const running = world.calls.filter(({ done }) => !done);
    const thread = running[which % running.length];
    if (!thread) return;
    thread.cancelled = true;
    const params = { requestId: thread.requests[0] };
    world.post(world.at(at), { jsonrpc: '2.0', method: 'notifications/cancelled', params });
  },
  reply: (world, { at, which }) => {
    const open = world.questions;
    const question = open[which % open.length];
    if (question) world.reply(question, world.at(at));
  },
  say: (world, { at }) => world.say(world.at(at)),
  change: (world, { at, change }) => world.change(world.at(at), change),
  subscribe: (world, { at, change }) => world.subscribe(world.at(at), change),
  tick: (world, { at }) => world.at(at).tick(),
  answerForLostReplicas: (world, { at }) => world.at(at).answerForLostReplicas(),
  wait: ({ clock }, { seconds }) => clock.advance(seconds),
  stranger: (world, { at, method }) => world.intrude(world.at(at), method as 'GET' | 'POST' | 'DELETE'),
  end: (world, { at }) => void world.ask(world.at(at), { method: 'DELETE', headers: world.headers() }),
  kill: (world, { at }) => {
    if (world.alive.length > 1) world.kill(world.at(at));
  },
  cut: (world, { at }) => {
    world.network.faults += 1;
    world.at(at).member.cut = true;
  },
  mend: (world, { at }) => mend(world, at),
  away: ({ network }) => {
    network.faults += 1;
    network.away = true;
  },
  back: (world) => back(world),
};

/** After a partition, a replica is told that it was disconnected. */
export function mend(world: World, at: number): void {
  const replica = world.at(at);
  if (!replica.member.cut) return;
  replica.member.cut = false;
  if (!world.network.away) replica.returned();
}

export function back(world: World): void {
  if (!world.network.away) return;
  world.network.away = false;
  for (const replica of world.alive) if (!replica.member.cut) replica.returned();
}

/** Everything runs, but no time passes for writers that cannot write. */
export async function settle({ schedule, network, replicas }: World): Promise<void> {
  const cutOff = replicas.filter(({ member }) => !network.reaches(member)).map(({ member }) => `${member.name} pauses`);
  await schedule.settle((lane) => !cutOff.includes(lane));
}

export async function play(world: World, move: Move): Promise<void> {
  await PLAYERS[move.do as Kind](world, move as never);
  await quiet();
}
