/**
 * Owns a client of a model run: it reconnects with its last event id (WHATWG HTML §9.2.4) to any reachable replica, and
 * reads only its newest connection.
 */
import type { Connection, Receiver } from './connection.ts';

export interface Received {
  readonly id: string;
  readonly data: string;
}

interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly result?: { readonly label: string; readonly answer: string };
  readonly error?: { readonly message: string };
}

/** A stream as its client sees it, over all its connections. */
export class Thread {
  /** Requests that it answers; none for the standalone stream. */
  readonly requests: readonly string[];
  readonly received: Received[] = [];
  readonly answers: Message[] = [];
  readonly connections: Connection[] = [];
  /** Questions of the server without an answer yet. */
  readonly questions: string[] = [];
  /** The first id that arrived, and the event with it, if any. */
  first: Received | undefined;
  lastId: string | undefined;
  cancelled = false;
  /** Whether a connection ended or broke before everything had arrived. */
  broken = false;
  #connection: Connection | undefined;

  constructor(requests: readonly string[] = []) {
    this.requests = requests;
  }

  get connected(): boolean {
    return this.#connection !== undefined && !this.#connection.member.dead;
  }

  get done(): boolean {
    return this.requests.length > 0 && this.answers.length >= this.requests.length;
  }

  /** The name of the stream; known only after an event with an id. */
  get stream(): string | undefined {
    return this.lastId?.split(':')[0];
  }

  /** Stops reading. */
  stall(): void {
    this.#connection?.stall();
  }

  /** Closes the open connection, with or without telling the server. */
  leave(noticed: boolean): void {
    if (this.#connection) this.broken = true;
    this.#connection?.abandon(noticed);
    this.#connection = undefined;
  }

  /** From now on, reads only from a new connection. */
  follow(open: (receiver: Receiver) => Connection, noticed: boolean): Connection {
    this.leave(noticed);
    const connection = open({
      text: (text) => {
        // A refused request, for instance of an ended session, did not run: its answer is not the answer of a call.
        if (this.#connection === connection && connection.status < 400) this.#take(text);
      },
      ended: () => {
        if (this.#connection !== connection) return;
        this.#connection = undefined;
        this.broken ||= !this.done;
      },
    });
    this.#connection = connection;
    this.connections.push(connection);
    return connection;
  }

  #take(text: string): void {
    if (/^[[{]/.test(text)) {
      for (const message of [JSON.parse(text)].flat() as Message[]) this.#hear(message);
      return;
    }
    const { id, data } = fieldsOf(text);
    const event = { id: id?.split(':')[1] ?? '', data: data ?? '' };
    if (id) {
      this.lastId = id;
      this.first ??= event;
    }
    if (!data) return;
    this.received.push(event);
    this.#hear(JSON.parse(data) as Message);
  }

  #hear(message: Message): void {
    if (message.id === undefined || message.id === null) return;
    if (message.method === undefined) this.answers.push(message);
    else this.questions.push(String(message.id));
  }
}

/** The id in one frame of an event stream. */
export function fieldsOf(frame: string): { readonly id?: string; readonly data?: string } {
  return Object.fromEntries(
    frame
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/: ?(.*)/s).slice(0, 2)),
  );
}
