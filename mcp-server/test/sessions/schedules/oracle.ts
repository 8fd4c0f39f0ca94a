/**
 * Owns the invariants of every schedule, checked against what the client received, what each party was told, and the
 * log.
 */
import { fieldsOf, type Thread } from './client.ts';
import type { Connection } from './connection.ts';
import { keyOf, type Logged } from './records.ts';
import type { Said, World } from './world.ts';

type Check = (world: World) => readonly string[];

const when = (condition: boolean, ...words: readonly string[]): readonly string[] => (condition ? words : []);

const logOf = (world: World, stream: string): readonly Logged[] =>
  (world.facts.logs.get(keyOf({ session: world.session.id, stream })) ?? []).filter(({ data }) => data);

const streamOf = ({ question, written }: Connection): string | undefined => {
  if (question.method === 'GET' && !question.headers['last-event-id']) return 'standalone';
  const ids = [question.headers['last-event-id'], ...written.map((frame) => fieldsOf(frame).id)];
  return ids.find((id) => id !== undefined)?.split(':')[0];
};

const numberOf = (id: string): number => Number(id.split('-')[0]);

/** Whether the client sends its last event id when it reconnects to this stream. */
const resumes = ({ setting }: World, { requests }: Thread): boolean => requests.length > 0 || setting.resumes;

/** The events that the client must have received so far, where that is determined. */
function due(world: World, thread: Thread): readonly string[] | undefined {
  const { first, stream } = thread;
  if (!stream || !first || !resumes(world, thread)) return undefined;
  const from = numberOf(first.id) + (first.data ? 0 : 1);
  return logOf(world, stream).flatMap(({ id, data }) => (numberOf(id) >= from ? [`${id} ${data}`] : []));
}

/** The error that a call gets when its session ends is in no log, and has no id. */
const got = ({ ended }: World, { received }: Thread): readonly string[] =>
  received.flatMap(({ id, data }) => (ended && !id ? [] : [`${id} ${data}`]));

/** The ids of the log strictly increase, without duplicates. */
const logsAreLogs: Check = ({ facts }) =>
  [...facts.logs].flatMap(([stream, events]) => {
    const ids = events.map(({ id }) => numberOf(id));
    const texts = events.flatMap(({ data, changes }) => (data && changes === undefined ? [data] : []));
    return [
      ...when(
        ids.some((id, index) => id <= (ids[index - 1] ?? 0)),
        `${stream}: ids do not increase`,
      ),
      ...when(new Set(texts).size < texts.length, `${stream}: written twice: ${texts.join(', ')}`),
    ];
  });

/** Everything arrives once and in order. */
const nothingDoubledOrSwapped: Check = (world) =>
  [world.standalone, ...world.calls].flatMap((thread) => {
    const [has, log] = [got(world, thread), due(world, thread)];
    const wrong =
      log?.slice(0, has.length).some((event, index) => event !== has[index]) || (log && has.length > log.length);
    return when(wrong === true, `${thread.stream}: got ${has.join(', ')}; the log has ${log?.join(', ')}`);
  });

const eachConnectionInOrder: Check = ({ connections }) =>
  connections.flatMap(({ written, question }) => {
    const ids = written.map(fieldsOf).flatMap(({ id, data }) => (id && data ? [numberOf(id.split(':')[1] ?? '')] : []));
    const wrong = ids.some((id, index) => id <= (ids[index - 1] ?? 0));
    return when(wrong, `${question.method}: one connection got ${ids.join(', ')}`);
  });

/** A client that reconnects without a `Last-Event-ID` does not get events again that a connection has delivered. */
const nothingTwiceWithoutId: Check = ({ handedBefore }) =>
  [...handedBefore].flatMap(([{ written }, before]) => {
    const ids = written.map(fieldsOf).flatMap(({ id, data }) => (id && data ? [id.split(':')[1] ?? ''] : []));
    return ids.filter((id) => before.has(id)).map((id) => `${id}: handed to a second connection`);
  });

/** A connected client has received everything. */
const nothingUndelivered: Check = (world) => {
  if (world.ended) return [];
  return [world.standalone, ...world.calls].flatMap((thread) => {
    if (!thread.connected || !thread.stream) return [];
    const [has, log] = [got(world, thread), due(world, thread)];
    const handed = world.handed(thread.stream);
    const never = logOf(world, thread.stream).filter(({ id }) => !handed.has(id));
    return [
      ...when(
        log !== undefined && has.length < log.length,
        `${thread.stream}: got ${has.length} of ${log?.join(', ')}`,
      ),
      ...when(never.length > 0, `${thread.stream}: never sent: ${never.map(({ data }) => data).join(', ')}`),
    ];
  });
};

/** One connection reads a stream, and none reads a stream of an ended session. */
const oneReader: Check = ({ connections, ended }) => {
  const open = connections.filter((connection) => connection.open);
  const streams = open.flatMap((connection) => streamOf(connection) ?? []);
  return [
    ...when(new Set(streams).size < streams.length, `read by several: ${streams.join(', ')}`),
    ...when(ended && open.length > 0, `${open.length} connections outlive the session`),
  ];
};

/** Each sent event is in the log once, and its sender knows whether it will be delivered. */
const producersKnow: Check = (world) => world.said.flatMap((said) => judgeSaid(world, said));

function judgeSaid(world: World, { label, by, written, gone, faultsBefore, faultsAfter }: Said): readonly string[] {
  if (!written) return when(!by.member.dead && !world.lost, `${label}: nobody was told what became of it`);
  const event = logOf(world, 'standalone').find(({ data }) => data.includes(`"${label}"`));
  const undisturbed = faultsBefore === faultsAfter;
  const reader = event?.reader?.replica;
  const heard = reader !== undefined && !gone.includes(reader);
  const mayBeHeard =
    reader !== undefined && world.replicas.some(({ member }) => member.name === reader && !member.dead);
  return [
    ...when((written === 'read' || written === 'unread') && !event, `${label}: ${written}, and not in the log`),
    ...when(written === 'over' && !world.ended, `${label}: over, and the session is not`),
    ...when(written === 'read' && undisturbed && !heard, `${label}: read, and nobody listens`),
    ...when(written === 'unread' && undisturbed && mayBeHeard, `${label}: unread, and somebody listens`),
  ];
}

/** A call is answered at most once, with its own answer; it fails only when its replica is lost. */
const answersAreRight: Check = (world) =>
  world.calls.flatMap(({ requests, answers, connections }) => {
    const home = connections[0]?.member;
    return answers.flatMap(({ id, result, error }, index) => [
      ...when(!requests.includes(String(id)), `an answer to ${id} on the stream of ${requests}`),
      ...when(answers.findIndex((other) => other.id === id) < index, `${id}: answered twice`),
      ...when(result !== undefined && result.label !== id, `${id}: answered with ${result?.label}`),
      ...when(result !== undefined && /stolen/.test(result.answer), `${id}: answered by a stranger`),
      ...when(
        result?.answer === '"timed out"' && world.network.faults === 0,
        `${id}: the answer of the client got lost`,
      ),
      ...when(error !== undefined && home?.dead === false && !world.ended, `${id}: given up, and yet it runs`),
    ]);
  });

/** A client that can reconnect has an answer. */
const callsAreAnswered: Check = (world) =>
  world.calls.flatMap(({ requests, answers, cancelled, lastId, broken, connections }) => {
    const [first] = connections;
    const reachable = lastId !== undefined || (!broken && first?.member.dead === false);
    if (world.ended || world.lost || cancelled || !reachable || first?.status !== 200) return [];
    const missing = requests.filter((request) => !answers.some(({ id }) => id === request));
    return missing.map((id) => `${id}: not answered`);
  });

/** A stranger gets the same answer as for an unknown session. */
const strangersGetNothing: Check = ({ strangers, network, session }) =>
  strangers.flatMap(({ status, question, member }) => {
    if (question.headers['mcp-session-id'] !== session.id) return [];
    const right = status === 404 || (network.faults > 0 && status === 503) || (status === 0 && member.dead);
    return when(!right, `a stranger's ${question.method} got ${status}`);
  });

/** Each change is announced once, if it came after the client began to listen. */
const changesAreTold: Check = (world) => {
  const told = logOf(world, 'standalone').flatMap(({ changes, data }) =>
    changes === undefined ? [] : [{ changes, data }],
  );
  const versions = told.map(({ changes }) => changes);
  const missed = world.facts.recorded.filter(
    ({ change, version }) =>
      !change.includes(':') &&
      world.heardUpTo !== undefined &&
      version > world.heardUpTo &&
      !told.some(({ changes, data }) => changes >= version && data.includes(`/${change}/`)),
  );
  return [
    ...when(
      versions.some((version, index) => version <= (versions[index - 1] ?? 0)),
      `changes were told as ${versions.join(', ')}`,
    ),
    ...when(
      !world.ended && world.standalone.connected && missed.length > 0,
      `never told: ${missed.map(({ change, version }) => `${version} ${change}`)}`,
    ),
  ];
};

/** Without failures, no request is refused. */
const nobodyIsRefused: Check = ({ connections, ended }) =>
  connections.flatMap(({ status, question, destroyed }) =>
    when(
      !ended && !destroyed && (status === 0 || status >= 400),
      `${question.method} ${JSON.stringify(question.message)} got ${status}`,
    ),
  );

const nothingImpossible: Check = ({ facts }) => facts.breaches;

/** Holds at any quiescent point. */
export const ALWAYS: readonly Check[] = [
  nothingImpossible,
  logsAreLogs,
  nothingDoubledOrSwapped,
  eachConnectionInOrder,
  nothingTwiceWithoutId,
  answersAreRight,
  strangersGetNothing,
];

/** Holds at any quiescent point without a failure so far: nothing waits for the next tick. */
export const WHILE_PEACEFUL: readonly Check[] = [nothingUndelivered, oneReader, nobodyIsRefused, changesAreTold];

/** Holds after recovery. */
export const AT_LAST: readonly Check[] = [
  nothingUndelivered,
  oneReader,
  producersKnow,
  callsAreAnswered,
  changesAreTold,
];

export const judge = (world: World, checks: readonly Check[]): readonly string[] =>
  checks.flatMap((check) => check(world));
