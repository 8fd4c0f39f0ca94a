/**
 * Owns the graceful shutdown of one HTTP server (RFC 9112 §9.6): new connections are refused, clients are told to close existing
 * ones, and none is closed while a request runs on it or may be in transit.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, ServerResponse } from 'node:http';
import { Server as Listener, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { TransientSet } from '../collections/transient.ts';
import { writeWaiting } from './answer.ts';
import { refusalOfHead } from './request/head.ts';
import { readTarget } from './request/target.ts';
import { refuseTarget, refuseUnreadable, type UnreadableOptions } from './request/unreadable.ts';

export interface Patience {
  /** Milliseconds for which running requests may finish. */
  readonly grace: number;
  /** Milliseconds for which a connection stays open after its last request. */
  readonly linger: number;
}

interface Connection {
  readonly socket: Socket;
  /** Requests whose answers are not complete. */
  running: number;
  /** The answer to the newest request, until it is complete. */
  latest: ServerResponse | undefined;
  /** Whether an error answer was sent, after which nothing more is read. */
  isRefused: boolean;
  bytesRead: number;
  /** Since when the connection is idle, as of the last check. */
  quietSince: number;
}

const CONNECTION = Symbol('connection');

type Known = Socket & { [CONNECTION]?: Connection };

const connectionOf = (socket: Socket): Connection | undefined => (socket as Known)[CONNECTION];

/** Milliseconds between two checks of the connections during the shutdown. */
const PACE = 50;

/** Maximum milliseconds of an idle turn of the event loop, and the maximum number of turns to wait for one. */
const SHORT_TURN = 0.1;
const MOST_TURNS = 200;

export class GracefulServer {
  readonly server: Server;
  readonly #connections = new TransientSet<Connection>();
  readonly #closed: Promise<void>;
  #refused: Promise<void> | undefined;

  constructor(handler: RequestListener, options: UnreadableOptions) {
    const isStopping = () => this.#refused !== undefined;
    class Answer<Request extends IncomingMessage> extends ServerResponse<Request> {
      constructor(...of: ConstructorParameters<typeof ServerResponse<Request>>) {
        super(...of);
        const connection = connectionOf(this.req.socket);
        if (!connection) return;
        connection.running += 1;
        connection.latest = this;
        this.on('close', () => {
          connection.running -= 1;
          if (connection.latest === this) connection.latest = undefined;
        });
      }

      /** Called for every head, including implicit ones. */
      override writeHead(...head: [number, ...unknown[]]): this {
        if (isStopping()) this.shouldKeepAlive = false;
        return super.writeHead(...(head as Parameters<ServerResponse['writeHead']>));
      }
    }
    const admit: RequestListener = (req, res) => {
      try {
        if (readTarget(req)) handler(req, res);
        else refuseTarget(req, res, options);
      } catch (err) {
        // Thrown further, it would end the process.
        options.log?.error({ err }, 'request failed');
        if (res.headersSent) res.destroy();
        else res.writeHead(500, { Connection: 'close' }).end();
      }
    };
    // keepAliveTimeout outlives the idle timeout of usual load balancers (60 s), so that they never reuse a dead connection.
    const timeouts = { requestTimeout: 60_000, headersTimeout: 20_000, keepAliveTimeout: 65_000 };
    this.server = createServer({ ...timeouts, maxHeaderSize: options.maxHeaderSize, ServerResponse: Answer }, admit);
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      const connection = connectionOf(socket);
      if (connection?.isRefused) return;
      if (connection) connection.isRefused = true;
      // What follows a request may be no HTTP; the request has its answer.
      writeWaiting();
      const { headersSent, writableEnded } = connection?.latest ?? {};
      const isAnswering = headersSent && !writableEnded;
      if (isAnswering || !socket.writable || error.code === 'ECONNRESET') socket.destroy();
      else refuseUnreadable(error, socket, options);
    });
    // RFC 9110 §10.1.1: a client that waits for 100 Continue gets the final answer if its body will not be read.
    this.server.on('checkContinue', (req, res) => {
      if (refusalOfHead(req)) res.shouldKeepAlive = false;
      else res.writeContinue();
      admit(req, res);
    });
    this.#closed = new Promise((resolve) => this.server.once('close', resolve));
    this.server.on('connection', (socket) => {
      const idle = { running: 0, latest: undefined, isRefused: false, bytesRead: 0, quietSince: performance.now() };
      const connection: Connection = { socket, ...idle };
      (socket as Known)[CONNECTION] = connection;
      socket.once('close', this.#connections.add(connection));
    });
  }

  /** Accepts no new connections from now on; answers on existing ones tell the client to close them. */
  refuse(): Promise<void> {
    this.#refused ??= this.#refuse();
    return this.#refused;
  }

  /** Resolves when the last connection is gone. */
  async close({ grace, linger }: Patience): Promise<void> {
    const since = performance.now();
    await this.refuse();
    for (const connection of this.#connections) connection.quietSince = since;
    const sweep = (): void => {
      const now = performance.now();
      const isOver = now - since >= Math.max(grace, linger);
      for (const connection of this.#connections) {
        if (isOver || hasBeenQuiet(connection, { now, linger })) connection.socket.destroy();
      }
    };
    const sweeper = setInterval(sweep, PACE);
    sweep();
    await this.#closed;
    clearInterval(sweeper);
  }

  /**
   * If the listening socket is closed, connections that the kernel has accepted but this process has not are reset. Each turn of the
   * event loop accepts all pending ones, so the socket is closed after a short turn.
   */
  async #refuse(): Promise<void> {
    await turn();
    for (let turns = 0; turns < MOST_TURNS; turns += 1) {
      const began = performance.now();
      await turn();
      if (performance.now() - began < SHORT_TURN) break;
    }
    // The method of http.Server would also close idle connections.
    Listener.prototype.close.call(this.server);
  }
}

/** Whether a connection has been idle for long enough; an incomplete request counts as activity. */
function hasBeenQuiet(connection: Connection, { now, linger }: { now: number; linger: number }): boolean {
  const { socket } = connection;
  const isBusy = connection.running > 0 || socket.bytesRead > connection.bytesRead;
  connection.bytesRead = socket.bytesRead;
  if (isBusy) connection.quietSince = now;
  return !isBusy && now - connection.quietSince >= linger;
}
