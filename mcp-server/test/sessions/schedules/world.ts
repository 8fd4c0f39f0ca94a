/** Owns a whole model run: several replicas, one client and a stranger, and the effects of every command on them. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import type { Principal } from '../../../src/authorization/principal.ts';
import { StorageUnavailable } from '../../../src/sessions/ports.ts';
import type { McpSession } from '../../../src/sessions/session.ts';
import type { SessionHost } from '../../../src/sessions/session-host.ts';
import type { Written } from '../../../src/sessions/stream-writer.ts';
import { STANDALONE, Streams, type StreamsDependencies } from '../../../src/sessions/streams.ts';
import { fieldsOf, Thread } from './client.ts';
import { Connection, type Question, type Receiver } from './connection.ts';
import { Network } from './network.ts';
import { createRecords, type Facts, type Records } from './records.ts';
import { createReplica, type Replica } from './replica.ts';
import { Schedule } from './schedule.ts';
import type { Task } from './tools.ts';

export interface Setting {
  readonly replicas: number;
  readonly revision: string;
  /** Whether the client sends a `Last-Event-ID` for its standalone stream. */
  readonly resumes: boolean;
}

/** The mutation that is active. */
export interface Defect {
  readonly exists?: () => boolean;
  readonly records?: (records: Records) => Records;
  readonly host?: (host: SessionHost) => SessionHost;
  readonly streams?: (dependencies: StreamsDependencies) => Streams;
}

interface Made {
  readonly clock: FakeClock;
  readonly records: Records;
  readonly facts: Facts;
}

/** What the sender of an event on the standalone stream was told. */
export interface Said {
  readonly label: string;
  readonly by: Replica;
  readonly faultsBefore: number;
  written?: Written;
  faultsAfter?: number;
  /** The replicas that were known to be dead when it was sent. */
  readonly gone: readonly string[];
}

const principal = (subject: string): Principal => ({
  issuer: 'https://as.example',
  subject,
  clientId: 'client',
  scopes: new Set(),
  expiresAt: 4_000_000_000,
  claims: {},
});
export const ALICE = principal('alice');
const MALLORY = principal('mallory');

export class World {
  readonly setting: Setting;
  readonly schedule = new Schedule();
  readonly network = new Network(this.schedule);
  readonly clock: FakeClock;
  readonly facts: Facts;
  readonly replicas: readonly Replica[];
  readonly session: McpSession;
  /** The stranger's own session. */
  readonly other: McpSession;
  readonly standalone = new Thread();
  readonly calls: Thread[] = [];
  readonly said: Said[] = [];
  /** All connections of the owner, and of the stranger. */
  readonly connections: Connection[] = [];
  readonly strangers: Connection[] = [];
  /** Events that a connection without a `Last-Event-ID` must not get again, since their delivery was known. */
  readonly handedBefore = new Map<Connection, ReadonlySet<string>>();
  /** The last change before the client is known to listen. */
  heardUpTo: number | undefined;
  /** Dead replicas, known to all others. */
  readonly gone: string[] = [];
  readonly #records: Records;
  /** Ids of events of the standalone stream whose delivery is known to all replicas. */
  readonly #settled = new Set<string>();
  #labels = 0;

  private constructor(setting: Setting, defect: Defect, { clock, records, facts }: Made) {
    this.setting = setting;
    this.facts = facts;
    this.clock = clock;
    this.#records = records;
    this.session = sessionOf(ALICE, setting, this.clock.now());
    this.other = sessionOf(MALLORY, setting, this.clock.now());
    this.replicas = Array.from({ length: setting.replicas }, (_, index) => {
      const member = { name: `r${index}`, cut: false, dead: false };
      return createReplica({
        member,
        storage: this.network.storage(member, records),
        schedule: this.schedule,
        clock: this.clock,
        breaches: facts.breaches,
        hostWith: defect.host ?? ((host) => host),
        streamsWith: defect.streams ?? ((dependencies) => new Streams(dependencies)),
      });
    });
  }

  static async open(setting: Setting, defect: Defect = {}): Promise<World> {
    const clock = new FakeClock();
    const { records, facts } = createRecords(clock, defect.exists);
    const world = new World(setting, defect, { clock, facts, records: defect.records?.(records) ?? records });
    for (const session of [world.session, world.other]) await records.store.create(session);
    return world;
  }

  get alive(): readonly Replica[] {
    return this.replicas.filter(({ member }) => !member.dead);
  }

  /** One of the live replicas. */
  at(index: number): Replica {
    const replica = this.alive[index % this.alive.length];
    if (!replica) throw new Error('nobody lives');
    return replica;
  }

  get ended(): boolean {
    return this.facts.ended.has(this.session.id);
  }

  /** Whether a write was given up because the store was unavailable for too long. */
  get lost(): boolean {
    return this.said.some(({ written }) => written === 'lost');
  }

  /** To be called at a quiescent point. */
  noteListening(): void {
    if (!this.standalone.connected) return;
    this.heardUpTo ??= this.facts.recorded.length;
    if (this.network.faults > 0) return;
    for (const id of idsOf(STANDALONE, this.standalone.connections.at(-1))) this.#settled.add(id);
  }

  label(): string {
    this.#labels += 1;
    return `m${this.#labels}`;
  }

  ask(at: Replica, question: Question, receiver: Receiver = { text: () => {}, ended: () => {} }): Connection {
    return this.#open(at, question, { receiver, by: ALICE, kept: this.connections });
  }

  askAsStranger(at: Replica, question: Question): Connection {
    return this.#open(at, question, {
      receiver: { text: () => {}, ended: () => {} },
      by: MALLORY,
      kept: this.strangers,
    });
  }

  headers(session = this.session, more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
    return { 'mcp-session-id': session.id, 'mcp-protocol-version': this.setting.revision, ...more };
  }

  listen(thread: Thread, at: Replica, noticed: boolean): Connection {
    const last = thread.requests.length > 0 || this.setting.resumes ? thread.lastId : undefined;
    const headers = this.headers(this.session, last === undefined ? {} : { 'last-event-id': last });
    const connection = thread.follow((receiver) => this.ask(at, { method: 'GET', headers }, receiver), noticed);
    if (last === undefined) this.handedBefore.set(connection, new Set(this.#settled));
    return connection;
  }

  call(at: Replica, task: Task, batch: boolean): Connection {
    const labels = batch && this.setting.revision === '2025-03-26' ? [this.label(), this.label()] : [this.label()];
    const requests = labels.map((label) => ({
      jsonrpc: '2.0',
      id: label,
      method: 'tools/call',
      params: { label, ...task },
    }));
    const message = requests.length > 1 ? requests : requests[0];
    const thread = new Thread(labels);
    this.calls.push(thread);
    return thread.follow(
      (receiver) => this.ask(at, { method: 'POST', headers: this.headers(), message }, receiver),
      true,
    );
  }

  post(at: Replica, message: unknown): Connection {
    return this.ask(at, { method: 'POST', headers: this.headers(), message });
  }

  /** Questions to the client that are not answered yet. */
  get questions(): readonly string[] {
    return this.calls.flatMap(({ questions }) => questions);
  }

  reply(question: string, at: Replica): void {
    for (const { questions } of this.calls)
      if (questions.includes(question)) questions.splice(questions.indexOf(question), 1);
    this.post(at, { jsonrpc: '2.0', id: question, result: { action: 'accept', content: { question } } });
  }

  change(at: Replica, name: string): void {
    const uri = `test://${name}`;
    const change =
      name === 'tools' || name === 'prompts' ? ({ kind: name } as const) : ({ kind: 'resource', uri } as const);
    at.changes.announce(change).catch(this.#expect);
  }

  subscribe(at: Replica, name: string): void {
    at.sessions.alter(this.session.id, { subscribe: `test://${name}` }).catch(this.#expect);
  }

  /** A stranger tries to use the client's session and answer its questions. */
  intrude(at: Replica, method: Question['method']): void {
    this.askAsStranger(at, { method, headers: this.headers(), message: { jsonrpc: '2.0', id: 'x', method: 'ping' } });
    const [id] = this.questions;
    const message = { jsonrpc: '2.0', id, result: { stolen: true } };
    if (id !== undefined) this.askAsStranger(at, { method: 'POST', headers: this.headers(this.other), message });
  }

  /** An unavailable store is not an error here. */
  #expect = (error: unknown): void => {
    if (!(error instanceof StorageUnavailable)) this.facts.breaches.push(`failed: ${error}`);
  };

  say(by: Replica): void {
    const said: Said = { label: this.label(), by, faultsBefore: this.network.faults, gone: [...this.gone] };
    this.said.push(said);
    const data = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { data: said.label } });
    by.streams
      .announce(this.session.id, { data })
      .then((written) => Object.assign(said, { written, faultsAfter: this.network.faults }))
      .catch(this.#expect);
  }

  kill({ member }: Replica): void {
    this.network.faults += 1;
    member.dead = true;
    this.schedule.add(`${member.name} is found dead`, async () => {
      await this.#records.busOf(member.name).close();
      this.gone.push(member.name);
    });
  }

  /** Ids of the events of a stream that were handed to any connection. */
  handed(stream: string): ReadonlySet<string> {
    return new Set(this.connections.flatMap((connection) => idsOf(stream, connection)));
  }

  #open(
    member: Replica,
    question: Question,
    { receiver, by, kept }: { receiver: Receiver; by: Principal; kept: Connection[] },
  ): Connection {
    const number = this.connections.length + this.strangers.length;
    const connection = new Connection({ schedule: this.schedule, member: member.member, question, receiver, number });
    kept.push(connection);
    // The client must be set up before anything can arrive.
    queueMicrotask(() => member.answer(connection, by));
    return connection;
  }
}

/** Ids of the events of a stream that were handed to a connection. */
function idsOf(stream: string, { written }: Pick<Connection, 'written'> = { written: [] }): readonly string[] {
  const frames = written.map(fieldsOf).filter(({ id, data }) => id?.startsWith(`${stream}:`) && data);
  return frames.map(({ id = '' }) => id.slice(stream.length + 1));
}

const sessionOf = (
  { issuer, subject, clientId, expiresAt }: Principal,
  { revision }: Setting,
  now: number,
): McpSession => ({
  id: `session-of-${subject}`,
  owner: { issuer, subject, clientId },
  transport: 'streamable-http',
  agreed: { protocolVersion: revision, params: { capabilities: { elicitation: {} } } },
  subscriptions: [],
  created: now,
  usedUntil: now,
  tokenExpiresAt: expiresAt,
});
