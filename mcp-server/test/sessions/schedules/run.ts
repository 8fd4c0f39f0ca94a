/** Owns the phases of a model run: the commands, the recovery, one final check on every replica; and the verdict. */
import { back, mend, type Program, play, settle } from './moves.ts';
import { ALWAYS, AT_LAST, judge, WHILE_PEACEFUL } from './oracle.ts';
import { type Defect, World } from './world.ts';

/** Seconds after which no replica may rely on outdated knowledge. */
const STALE = 11;

/** @returns the violated invariants, as text */
export async function run({ setting, moves }: Program, defect?: Defect): Promise<readonly string[]> {
  const world = await World.open(setting, defect);
  for (const move of moves) {
    await play(world, move);
    const wrong = atRest(world);
    if (wrong.length > 0) return wrong;
  }
  await settle(world);
  const early = atRest(world);
  if (early.length > 0) return early;
  await calmDown(world);
  const wrong = judge(world, [...ALWAYS, ...AT_LAST]);
  return wrong.length > 0 ? wrong : await afterTheEnd(world);
}

function atRest(world: World): readonly string[] {
  if (!world.schedule.idle) return [];
  world.noteListening();
  return judge(world, world.network.faults === 0 ? [...ALWAYS, ...WHILE_PEACEFUL] : ALWAYS);
}

async function calmDown(world: World): Promise<void> {
  back(world);
  for (const index of world.alive.keys()) mend(world, index);
  await settle(world);
  await reconnect(world);
  for (const replica of world.alive) replica.answerForLostReplicas();
  await settle(world);
  for (const question of world.questions) world.reply(question, world.at(0));
  await settle(world);
  for (const replica of world.alive) replica.giveUp();
  await settle(world);
  for (const replica of world.alive) {
    replica.tick();
    await settle(world);
    replica.answerForLostReplicas();
    await settle(world);
  }
  await reconnect(world);
}

/** The client reconnects to every stream that has not ended for it. */
async function reconnect(world: World): Promise<void> {
  for (let round = 0; round < 3 && !world.ended; round += 1) {
    const open = world.calls.filter(({ done, lastId, cancelled }) => !done && !cancelled && lastId !== undefined);
    for (const [index, thread] of [world.standalone, ...open].entries()) {
      if (!thread.connected) world.listen(thread, world.at(index + round), true);
    }
    await settle(world);
  }
}

/** No replica restores an ended session; a replica that knows of the end does not even ask the store. */
async function afterTheEnd(world: World): Promise<readonly string[]> {
  if (!world.ended) return [];
  const served: string[] = [];
  const knock = async (when: string): Promise<void> => {
    const asked = world.alive.flatMap((at) => [
      world.ask(at, { method: 'GET', headers: world.headers() }),
      world.call(at, { says: 0, asks: false }, false),
    ]);
    await settle(world);
    for (const { status, question } of asked) {
      if (status >= 200 && status < 300)
        served.push(`the session is over, ${when}, and a ${question.method} got ${status}`);
    }
  };
  if (world.network.faults === 0) {
    world.network.away = true;
    await knock('and the store is away');
    back(world);
    await settle(world);
    await knock('and everybody has heard');
  }
  world.clock.advance(STALE);
  await knock('for long');
  return served;
}
