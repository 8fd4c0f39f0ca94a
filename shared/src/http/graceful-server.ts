/**
 * Owns the way down of one HTTP server (RFC 9112 §9.6): new connections are refused, those that are there are told to go, and
 * none is closed while a request runs on it or may be on its way.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, ServerResponse } from 'node:http';
import { Server as Listener, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { refusalOfHead } from './request-head.ts';
import { readTarget } from './request-target.ts';
import { refuseTarget, refuseUnreadable, type UnreadableOptions } from './unreadable.ts';

export interface Patience {
  /** Milliseconds that running requests get to finish. */
  readonly grace: number;
  /** Milliseconds that a connection is left open after its last request. */
  readonly linger: number;
}

interface Connection {
  /** Requests that have not been answered to their end. */
  running: number;
  /** The answer to the newest of them; not kept beyond its end. */
  latest: ServerResponse | undefined;
  /** Nothing more is read from it. */
  isRefused: boolean;
  bytesRead: number;
  /** Since when nothing has come or gone on it, as far as anybody has looked. */
  quietSince: number;
}

/** Milliseconds between two looks at the connections, on the way down. */
const PACE = 50;

/** A turn of the event loop that nothing else has happened in takes less, in milliseconds; and the most that are waited for. */
const SHORT_TURN = 0.1;
const MOST_TURNS = 200;

export class GracefulServer {
  readonly server: Server;
  readonly #connections = new Map<Socket, Connection>();
  readonly #closed: Promise<void>;
  #refused: Promise<void> | undefined;

  constructor(handler: RequestListener, options: UnreadableOptions) {
    const connectionOf = (socket: Socket) => this.#connections.get(socket);
    const isStopping = () => this.#refused !== undefined;
    class Answer<Request extends IncomingMessage> extends ServerResponse<Request> {
      constructor(...of: ConstructorParameters<typeof ServerResponse<Request>>) {
        super(...of);
        const connection = connectionOf(this.req.socket);
        if (!connection) return;
        connection.running += 1;
        connection.latest = this;
        this.once('close', () => {
          connection.running -= 1;
          if (connection.latest === this) connection.latest = undefined;
        });
      }

      /** Every head passes here, also one that nobody writes by hand. */
      override writeHead(...head: [number, ...unknown[]]): this {
        if (isStopping()) this.shouldKeepAlive = false;
        return super.writeHead(...(head as Parameters<ServerResponse['writeHead']>));
      }
    }
    const admit: RequestListener = (req, res) => {
      if (readTarget(req)) handler(req, res);
      else refuseTarget(req, res, options);
    };
    // keepAliveTimeout outlives the idle timeout of usual load balancers (60 s), so that they never reuse a dead connection.
    const timeouts = { requestTimeout: 60_000, headersTimeout: 20_000, keepAliveTimeout: 65_000 };
    this.server = createServer({ ...timeouts, maxHeaderSize: options.maxHeaderSize, ServerResponse: Answer }, admit);
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      const connection = connectionOf(socket);
      if (connection?.isRefused) return;
      if (connection) connection.isRefused = true;
      const { headersSent, writableEnded } = connection?.latest ?? {};
      const isAnswering = headersSent && !writableEnded;
      if (isAnswering || !socket.writable || error.code === 'ECONNRESET') socket.destroy();
      else refuseUnreadable(error, socket, options);
    });
    // RFC 9110 §10.1.1: who waits to be told to send a body that will not be read is told the answer instead.
    this.server.on('checkContinue', (req, res) => {
      if (refusalOfHead(req)) res.shouldKeepAlive = false;
      else res.writeContinue();
      admit(req, res);
    });
    this.#closed = new Promise((resolve) => this.server.once('close', resolve));
    this.server.on('connection', (socket) => {
      const state = { running: 0, latest: undefined, isRefused: false, bytesRead: 0, quietSince: performance.now() };
      this.#connections.set(socket, state);
      socket.once('close', () => this.#connections.delete(socket));
    });
  }

  /** Takes no new connection from here on; whoever gets an answer on an old one is told not to use it again. */
  refuse(): Promise<void> {
    this.#refused ??= this.#refuse();
    return this.#refused;
  }

  /** Resolves when the last connection is gone. */
  async close({ grace, linger }: Patience): Promise<void> {
    const since = performance.now();
    await this.refuse();
    for (const connection of this.#connections.values()) connection.quietSince = since;
    const sweep = (): void => {
      const now = performance.now();
      const isOver = now - since >= Math.max(grace, linger);
      for (const [socket, connection] of this.#connections) {
        if (isOver || hasBeenQuiet(socket, connection, { now, linger })) socket.destroy();
      }
    };
    const sweeper = setInterval(sweep, PACE);
    sweep();
    await this.#closed;
    clearInterval(sweeper);
  }

  /**
   * A connection that the kernel has accepted and this process has not is reset with the socket that listens. Each turn of the
   * event loop begins with taking in all of them, so it is closed at the end of one that was short.
   */
  async #refuse(): Promise<void> {
    await turn();
    for (let turns = 0; turns < MOST_TURNS; turns += 1) {
      const began = performance.now();
      await turn();
      if (performance.now() - began < SHORT_TURN) break;
    }
    // The method of http.Server would close the connections as well that no request runs on.
    Listener.prototype.close.call(this.server);
  }
}

/** Whether a connection has had nothing to do for long enough; half of a request is something. */
function hasBeenQuiet(
  socket: Socket,
  connection: Connection,
  { now, linger }: { now: number; linger: number },
): boolean {
  const isBusy = connection.running > 0 || socket.bytesRead > connection.bytesRead;
  connection.bytesRead = socket.bytesRead;
  if (isBusy) connection.quietSince = now;
  return !isBusy && now - connection.quietSince >= linger;
}
